import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  databaseSecret,
  describeSecrets,
  openRotationStage,
  redisSecret,
} from '#test/fault/rotation-stage.ts'
import { removeAtExit } from '#test/support/server-process.ts'
import type { Verdict } from '../verdicts.ts'
import { openAccounts } from './accounts.ts'
import { makeCallers } from './callers.ts'
import { cpuTimes } from './cpu-times.ts'
import { startFeeder } from './feeder.ts'
import { applied, type StageOptions, type TradingStage } from './stage.ts'

/** Between two rotations, so that each meets a system at work. */
const pauseMs = 2_000

export type RotatingStage = TradingStage & {
  /** Rotates the logins in turns until it is told to stop; resolves with what came of it. */
  rotate(): { stop(): Promise<Verdict> }
}

/** Gateway, workers, sequencer and rotator of the source, whose logins are secrets that rotate. */
export async function openRotatingStage({
  accounts,
  symbols,
  say,
}: Pick<StageOptions, 'accounts' | 'symbols' | 'say'>): Promise<RotatingStage> {
  const folder = await mkdtemp(join(tmpdir(), 'postern-load-'))
  removeAtExit(folder)
  const callers = await makeCallers(folder, accounts)
  const access = { document: callers.document, token: callers.operatorToken }
  say('starting Redis, Postgres and four processes of the source')
  const stage = await openRotationStage({ access })
  try {
    await openAccounts(stage.sql, accounts)
    const gateway = await stage.start('serve')
    await stage.start('work')
    await stage.start('sequence')
    await stage.start('rotator')
    await describeSecrets(stage)
    const feeder = await startFeeder({ url: gateway.url, token: callers.operatorToken }, symbols)
    await applied(stage.sql, symbols.length)
    return {
      ...{ url: gateway.url, sql: stage.sql, feeder, way: 'the source, rotating' },
      ...{ tokensFile: callers.tokensFile, operatorToken: callers.operatorToken },
      rotate: () => rotating(stage),
      cpu: () => cpuTimes({ postern: stage.pids(), postgres: stage.server.pid }),
      async close() {
        await feeder.stop()
        await stage.close()
      },
    }
  } catch (error) {
    await stage.close()
    throw error
  }
}

/** A step that has to be tried again. */
const againCode = 75

function rotating(stage: Awaited<ReturnType<typeof openRotationStage>>) {
  let isStopped = false
  let done = 0
  const faults: number[] = []
  const following = (async () => {
    for (let turn = 0; !isStopped; ) {
      const name = [databaseSecret, redisSecret][turn % 2] ?? databaseSecret
      const { code } = await stage.tryPostern(['secrets', 'rotate', name])
      if (code === 0) done += 1
      else if (code !== againCode) faults.push(code)
      if (code !== againCode) turn += 1
      await Bun.sleep(pauseMs)
    }
  })()
  return {
    async stop(): Promise<Verdict> {
      isStopped = true
      await following
      return {
        name: 'rotations of the logins at Postgres and Redis',
        seen: faults.length === 0 ? `${done}` : `${done}, failed with ${faults.join(', ')}`,
        required: 'at least one, and none that fails',
        fate: done > 0 && faults.length === 0 ? 'met' : 'missed',
      }
    },
  }
}
