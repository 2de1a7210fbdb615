import { ConfigError } from '#core/config.ts'
import { collectorEnvironment } from './collector.ts'

/** What the build puts into the binary; see ci/build.ts. */
const hardeningFlags = ['--disallow-code-generation-from-strings=strict', '--no-addons'] as const

/**
 * Names by which an environment makes a program load foreign code, or trust anybody. The settings of
 * the collector (`collector.ts`) do neither.
 */
const forbiddenNames = /^(?:BUN_.*|LD_.*|DYLD_.*|NODE_OPTIONS|NODE_TLS_REJECT_UNAUTHORIZED)$/

/**
 * Refuses to run where the environment could change what this program is: throws `ConfigError`
 * with a line per name. In development, and from source, nothing is refused.
 *
 * `BUN_BE_BUN` and `LD_PRELOAD` act before any line of ours: with the first the binary *is* Bun.
 * Whoever can set those has won already, so the deployment must forbid the names as well; what is
 * caught here is the leftover of a debugging session.
 */
export function guardEnvironment(options: {
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly execArgv: readonly string[]
  readonly isCompiled: boolean
}): void {
  const { environment, execArgv, isCompiled } = options
  if (!isCompiled || environment['POSTERN_MODE'] === 'development') return
  const named = Object.keys(environment)
    .filter((name) => forbiddenNames.test(name) && !(name in collectorEnvironment))
    .map((name) => `${name}: must not be set, it can change the code that runs; unset it`)
  const missing = hardeningFlags
    .filter((flag) => !execArgv.includes(flag))
    .map((flag) => `binary: built without ${flag}; build it with \`npm run build\``)
  if (named.length + missing.length > 0) throw new ConfigError([...named, ...missing])
}
