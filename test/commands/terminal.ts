/** How long what is awaited on a screen may take on a busy machine. */
const shownMsMax = 20_000

/** A program on a terminal of its own, whose screen can be waited for. */
export function openTerminal(
  command: readonly string[],
  options: { readonly cwd: string; readonly env: Readonly<Record<string, string>> },
) {
  let screen = ''
  let onShown: () => void = () => undefined
  const child = Bun.spawn([...command], {
    cwd: options.cwd,
    env: options.env,
    terminal: {
      cols: 100,
      rows: 50,
      data(_terminal, bytes) {
        screen += new TextDecoder().decode(bytes)
        onShown()
      },
    },
  })

  /** What is on the screen since the last time, once it holds this; throws with it when it does not. */
  async function shown(wanted: RegExp): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const late = setTimeout(() => reject(new Error(`no ${wanted} in ${screen}`)), shownMsMax)
    onShown = () => {
      if (wanted.test(screen)) resolve()
    }
    onShown()
    await promise.finally(() => clearTimeout(late))
    const seen = screen
    screen = ''
    return seen
  }

  return {
    type: (text: string) => void child.terminal?.write(text),
    shown,
    async close() {
      child.kill('SIGKILL')
      await child.exited
      child.terminal?.close()
    },
  }
}
