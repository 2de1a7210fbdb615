// Runs the Bun that package-lock.json pins, on a machine that has only Node and npm.
import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { bun, ensureDependencies } from './dependencies.mjs'

// A terminal signals its whole process group and npm hands the signal on once more: of these
// copies only one may reach Bun, to which a second one means "stop at once".
const sameSignalMs = 500

ensureDependencies()

// In a group of its own, so that Bun sees only what is passed on below.
const child = spawn(bun, process.argv.slice(2), { stdio: 'inherit', detached: true })
let lastSignalAt = Number.NEGATIVE_INFINITY
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    const now = performance.now()
    if (now - lastSignalAt > sameSignalMs) child.kill(signal)
    lastSignalAt = now
  })
}
child.on('error', (error) => {
  process.stderr.write(`postern: ${bun}: ${error.message}\n`)
  process.exit(1)
})
child.on('exit', (code, signal) => {
  process.exit(signal === null ? code : 128 + constants.signals[signal])
})
