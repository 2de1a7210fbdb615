import { type Config, ConfigError } from '#core/config.ts'

/** Throws `ConfigError` with all that is missing, so that it need not be found out one by one. */
export function requireSettings(config: Config, names: readonly (keyof Config)[]): void {
  const missing = names.filter((name) => config[name] === undefined)
  if (missing.length > 0) throw new ConfigError(missing.map(missingLine))
}

function missingLine(name: keyof Config): string {
  return `${name}: required by this command and not set`
}

/** The value of a setting that this command cannot do without. */
export function required<Name extends keyof Config>(
  config: Config,
  name: Name,
): NonNullable<Config[Name]> {
  const value = config[name]
  if (value !== undefined && value !== null) return value
  throw new ConfigError([missingLine(name)])
}
