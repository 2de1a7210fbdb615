import { posternCommand } from '#test/support/postern-command.ts'

/** Runs a command in a folder with nothing but the given settings, until it ends or its time is over. */
export async function runPostern(
  args: readonly string[],
  options: {
    readonly folder: string
    readonly settings: Readonly<Record<string, string>>
    readonly msMax?: number
  },
) {
  const child = Bun.spawn([...posternCommand, ...args], {
    cwd: options.folder,
    env: { PATH: '/usr/bin:/bin', ...options.settings },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
    ...(options.msMax === undefined ? {} : { timeout: options.msMax, killSignal: 'SIGTERM' }),
  })
  const [code, out, error] = await Promise.all([
    child.exited,
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ])
  return { code, out, error }
}
