// `npm run check`: what a change must pass before it is worth a commit; starts no process.
import { ensureDependencies } from './dependencies.mjs'
import {
  isSlow,
  quickPolicyStep,
  runStep,
  staticSteps,
  summarize,
  testFiles,
  testStep,
} from './steps.mjs'
import { findTool } from './tools.mjs'

ensureDependencies()

const files = testFiles().filter((file) => !isSlow(file))
const steps = [testStep('unit tests', files), ...staticSteps]
if (findTool('opa') !== undefined) steps.push(quickPolicyStep)
else
  process.stdout.write(
    '*** THE POLICIES ARE NOT TESTED HERE: ci/tools opa installs what is missing\n',
  )
const results = await Promise.all(steps.map((step) => runStep(step, { isQuiet: true })))
process.exitCode = summarize(results)
