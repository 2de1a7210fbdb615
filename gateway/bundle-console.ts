import { join } from 'node:path'

export type ConsoleBundle = { readonly script: string; readonly style: string }

/** What `gateway/console/` is for a browser: by the build, and by a gateway that runs from source. */
export async function bundleConsole(): Promise<ConsoleBundle> {
  const folder = join(import.meta.dir, 'console')
  const built = await Bun.build({
    entrypoints: [join(folder, 'main.tsx'), join(folder, 'style.css')],
    target: 'browser',
    format: 'esm',
    minify: true,
    jsx: { development: false },
  })
  const textOf = async (suffix: string) => {
    const output = built.outputs.find(({ path }) => path.endsWith(suffix))
    if (output === undefined) throw new Error(`the console has no ${suffix}`)
    return await output.text()
  }
  return { script: await textOf('.js'), style: await textOf('.css') }
}
