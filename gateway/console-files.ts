import { createHash } from 'node:crypto'
import { bundleConsole, type ConsoleBundle } from './bundle-console.ts'
import { consolePage } from './console-page.ts'

/** Put in by the build; from source there are none. */
declare const POSTERN_CONSOLE_SCRIPT: string | undefined
declare const POSTERN_CONSOLE_STYLE: string | undefined

export type ConsoleFile = {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly mediaType: string
  readonly etag: string
}

export type ConsoleFiles = {
  readonly page: ConsoleFile
  /** By name, which changes with the content. */
  readonly assets: ReadonlyMap<string, ConsoleFile>
}

/** Hexadecimal digits of SHA-256: enough that two builds never share a name. */
const nameDigits = 16

/** What browsers are given. `folder` is where the page finds its assets. */
export function consoleFiles(bundle: ConsoleBundle, folder: string): ConsoleFiles {
  const script = fileOf(bundle.script, 'text/javascript; charset=utf-8')
  const style = fileOf(bundle.style, 'text/css; charset=utf-8')
  const scriptName = `console-${nameOf(script)}.js`
  const styleName = `console-${nameOf(style)}.css`
  const page = consolePage({ script: `${folder}/${scriptName}`, style: `${folder}/${styleName}` })
  return {
    page: fileOf(page, 'text/html; charset=utf-8'),
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

function fileOf(text: string, mediaType: string): ConsoleFile {
  const digest = createHash('sha256').update(text).digest('hex')
  return { bytes: new TextEncoder().encode(text), mediaType, etag: `"${digest}"` }
}

function nameOf({ etag }: ConsoleFile): string {
  return etag.slice(1, 1 + nameDigits)
}
