import { type Browser, chromium } from 'playwright-core'

const names = ['chromium', 'chromium-browser', 'google-chrome']

/** The machine's own browser: none is downloaded. Whoever opens it closes it. */
export async function openChromium(): Promise<Browser> {
  const executablePath = names.map((name) => Bun.which(name)).find((path) => path !== null)
  if (executablePath === undefined) throw new Error(`none of ${names.join(', ')} is on PATH`)
  // Chromium's sandbox does not start for root, as whom containers run tests.
  return await chromium.launch({ executablePath, chromiumSandbox: process.getuid?.() !== 0 })
}
