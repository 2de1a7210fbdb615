import { ConfigError } from '#core/config.ts'

/** By the code of the failed listen(2), what to do. */
const fixes: Readonly<Record<string, string>> = {
  EADDRINUSE: 'is in use; stop what listens there, or choose another port',
  EACCES: 'may not be opened by this user; choose a port above 1023',
  EADDRNOTAVAIL: 'is no address of this machine',
}

/** Opens a listener; throws `ConfigError` where another address or port would do. */
export function bind<Listener>(
  setting: string,
  { address, port }: { readonly address: string; readonly port: number },
  open: () => Listener,
): Listener {
  try {
    return open()
  } catch (error) {
    const fix = error instanceof Error && 'code' in error ? fixes[String(error.code)] : undefined
    if (fix === undefined) throw error
    // biome-ignore lint/style/useErrorCause: its lines are all that is ever shown of a ConfigError.
    throw new ConfigError([`${setting}: ${address}:${port} ${fix}`])
  }
}
