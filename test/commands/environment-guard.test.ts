import { expect, test } from 'bun:test'
import { guardEnvironment } from '../../commands/environment-guard.ts'
import { ConfigError } from '../../core/config.ts'

const execArgv = ['--disallow-code-generation-from-strings=strict', '--no-addons']

function problems(environment: Record<string, string>, options: { isCompiled?: boolean } = {}) {
  try {
    guardEnvironment({ environment, execArgv, isCompiled: options.isCompiled ?? true })
    return []
  } catch (error) {
    return error instanceof ConfigError ? error.problems : [String(error)]
  }
}

test.each([
  ...[
    'BUN_BE_BUN',
    'BUN_OPTIONS',
    'BUN_INSPECT',
    'BUN_INSPECT_CONNECT_TO',
    'BUN_CONFIG_FILE',
    'BUN_JSC_useJIT',
  ],
  ...['LD_PRELOAD', 'LD_LIBRARY_PATH', 'LD_AUDIT', 'DYLD_INSERT_LIBRARIES'],
  ...['NODE_OPTIONS', 'NODE_TLS_REJECT_UNAUTHORIZED'],
])('%s is refused by name, and its value is not repeated', (name) => {
  const [problem, ...more] = problems({ [name]: 'the-value' })
  expect(problem).toStartWith(`${name}: must not be set`)
  expect(problem).not.toContain('the-value')
  expect(more).toEqual([])
})

test('an empty value is refused too', () => {
  expect(problems({ LD_PRELOAD: '' })).toHaveLength(1)
})

test('every forbidden name gets a line of its own', () => {
  expect(problems({ BUN_OPTIONS: '', LD_AUDIT: '', PATH: '/bin' })).toHaveLength(2)
})

test('a binary built without its hardening flags refuses to run', () => {
  const start = () => guardEnvironment({ environment: {}, execArgv: [], isCompiled: true })
  expect(start).toThrow(/--disallow-code-generation-from-strings=strict.*\n.*--no-addons/)
})

test.each([
  'BUN_JSC_useConcurrentGC',
  'BUN_JSC_heapGrowthMaxIncrease',
  'PATH',
  'HOME',
  'POSTERN_MODE',
  'HTTPS_PROXY',
  'XBUN_OPTIONS',
  'BUNDLE',
])('%s is none of the guard’s business', (name) => {
  expect(problems({ [name]: 'production' })).toEqual([])
})

test('in development, and from source, nothing is refused', () => {
  expect(problems({ BUN_INSPECT: '1', POSTERN_MODE: 'development' })).toEqual([])
  expect(problems({ BUN_INSPECT: '1' }, { isCompiled: false })).toEqual([])
})
