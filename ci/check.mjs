// `npm run check`: what a change must pass before it is worth a commit; starts no process.
import { ensureDependencies } from './dependencies.mjs'
import { isSlow, runStep, staticSteps, summarize, testFiles, testStep } from './steps.mjs'

ensureDependencies()

const files = testFiles().filter((file) => !isSlow(file))
const steps = [testStep('unit tests', files), ...staticSteps]
const results = await Promise.all(steps.map((step) => runStep(step, { isQuiet: true })))
process.exitCode = summarize(results)
