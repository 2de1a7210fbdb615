import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { type Browser, chromium } from 'playwright-core'

/** As Debian, Google and macOS name it; POSTERN_TEST_CHROMIUM names another one. */
const programs = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']
const macPath = '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome'

/** The machine's own browser: none is downloaded. Whoever opens it closes it. */
export async function openChromium(): Promise<Browser> {
  // Chromium's sandbox does not start for root, as whom containers run tests.
  const chromiumSandbox = process.getuid?.() !== 0
  return await chromium.launch({ executablePath: findChromium(), chromiumSandbox })
}

function findChromium(): string {
  const named = process.env['POSTERN_TEST_CHROMIUM']
  const onPath = (process.env['PATH'] ?? '')
    .split(delimiter)
    .flatMap((folder) => programs.map((program) => join(folder, program)))
  const found = [...(named === undefined ? [] : [named]), ...onPath, macPath].find(existsSync)
  if (found !== undefined) return found
  throw new Error('These tests need Chromium: apt-get install chromium, or POSTERN_TEST_CHROMIUM.')
}
