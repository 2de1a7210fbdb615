// `npm run check`: what a change must pass before it is worth a commit; starts no process.
import { ensureDependencies } from './dependencies.mjs'
import {
  isLong,
  isSlow,
  quickPolicyStep,
  runSteps,
  staticSteps,
  summarize,
  testFiles,
  testSteps,
} from './steps.mjs'

ensureDependencies()

const files = testFiles().filter((file) => !isSlow(file) && !isLong(file))
const steps = [...testSteps('unit tests', files), ...staticSteps, quickPolicyStep]
const results = await runSteps(steps, () => ({ isQuiet: true }))
process.exitCode = summarize(results)
