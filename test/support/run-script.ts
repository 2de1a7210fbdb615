import { join } from 'node:path'

const root = join(import.meta.dir, '../..')

export type Answer = { exitCode: number; stdout: string; stderr: string }

/** Runs `ci/<name>` from the repository's root. */
export async function runScript(
  name: string,
  args: readonly string[],
  stdin = '',
  env: Record<string, string> = {},
): Promise<Answer> {
  const child = Bun.spawn([join(root, 'ci', name), ...args], {
    cwd: root,
    env: { ...process.env, ...env },
    stdin: new Blob([stdin]),
    stdout: 'pipe',
    stderr: 'pipe',
  })
  const [stdout, stderr, exitCode] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ])
  return { exitCode, stdout, stderr }
}
