import { bundleConsole, type ConsoleBundle } from './bundle-console.ts'
import { consolePage } from './console-page.ts'
import { nameByContent, type ServedFile, servedFile } from './served-file.ts'

/** Put in by the build; from source there are none. */
declare const POSTERN_CONSOLE_SCRIPT: string | undefined
declare const POSTERN_CONSOLE_STYLE: string | undefined

type ConsoleFiles = {
  readonly page: ServedFile
  /** By name, which changes with the content. */
  readonly assets: ReadonlyMap<string, ServedFile>
}

/** What browsers are given. `folder` is where the page finds its assets. */
export async function consoleFiles(bundle: ConsoleBundle, folder: string): Promise<ConsoleFiles> {
  const script = await servedFile(bundle.script, 'text/javascript; charset=utf-8')
  const style = await servedFile(bundle.style, 'text/css; charset=utf-8')
  const scriptName = nameByContent('console.js', script)
  const styleName = nameByContent('console.css', style)
  const page = consolePage({ script: `${folder}/${scriptName}`, style: `${folder}/${styleName}` })
  return {
    page: await servedFile(page, 'text/html; charset=utf-8'),
    assets: new Map([
      [scriptName, script],
      [styleName, style],
    ]),
  }
}

/** Of the build; where there was none, made from source when it is first asked for. */
export async function readConsoleBundle(): Promise<ConsoleBundle> {
  if (typeof POSTERN_CONSOLE_SCRIPT === 'undefined' || typeof POSTERN_CONSOLE_STYLE === 'undefined')
    return await bundleConsole()
  return { script: POSTERN_CONSOLE_SCRIPT, style: POSTERN_CONSOLE_STYLE }
}
