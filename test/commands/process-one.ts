// Runs as process 1 of a namespace: leaves an orphan behind and says what becomes of it.
import { readdirSync, readFileSync } from 'node:fs'
import { parseProcessStat, reapOrphans } from '../../commands/reap-orphans.ts'

const isZombieLeft = () =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .some((pid) => parseProcessStat(readFileSync(`/proc/${pid}/stat`, 'utf8')).state === 'Z')

async function until(condition: () => boolean): Promise<void> {
  const giveUpAt = performance.now() + 10_000
  while (!condition() && performance.now() < giveUpAt) await Bun.sleep(10)
}

const children = new Map<number, Bun.Subprocess>()
const parent = Bun.spawn(['sh', '-c', 'sleep 0.1 & exit 0'])
children.set(parent.pid, parent)
await parent.exited
children.delete(parent.pid)
await until(isZombieLeft)
process.stdout.write(isZombieLeft() ? 'zombie\n' : 'no zombie\n')

using _reaper = reapOrphans(children, 50)
await until(() => !isZombieLeft())
process.stdout.write(isZombieLeft() ? 'still there\n' : 'gone\n')

const own = Bun.spawn(['sh', '-c', 'exit 7'])
children.set(own.pid, own)
process.stdout.write(`${await own.exited}\n`)
