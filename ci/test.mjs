// `npm test`: everything but benchmarks, fault runs, load and Docker; real Redis and Postgres.
import './setup.mjs'
import {
  buildStep,
  policyStep,
  policyTestFiles,
  runSteps,
  staticSteps,
  summarize,
  testBinary,
  testFiles,
  testStep,
  testSteps,
} from './steps.mjs'

/** Steps of one group run at the same time; a number before each line tells which has printed it. */
const groups = [
  ...staticSteps.map((step) => [step]),
  [buildStep],
  [...testSteps('tests', testFiles()), policyStep],
  [testStep('binary', ['test/image/binary.test.ts']), testStep('policy tests', policyTestFiles())],
]
process.env.TEST_POSTERN_BINARY = testBinary
const results = []
for (const steps of groups) {
  process.stdout.write(`\n── ${steps.map(({ name }) => name).join(', ')}\n`)
  const prefixOf = (part) => (steps.length === 1 ? '' : `${part + 1} │ `)
  results.push(...(await runSteps(steps, (part) => ({ prefix: prefixOf(part) }))))
}
process.exitCode = summarize(results)
