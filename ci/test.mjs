// `npm test`: everything but benchmarks, fault runs, load and Docker; real Redis and Postgres.
import './setup.mjs'
import { runStep, staticSteps, summarize, testFiles, testStep } from './steps.mjs'

const steps = [
  ...staticSteps,
  testStep('tests', testFiles()),
  testStep('binary', ['test/image/binary.test.ts']),
]
const results = []
for (const step of steps) {
  process.stdout.write(`\n── ${step.name}\n`)
  results.push(await runStep(step))
}
process.exitCode = summarize(results)
