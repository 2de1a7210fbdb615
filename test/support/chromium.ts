import { type Browser, chromium } from 'playwright-core'
import { findChromium } from '#test/console/find-chromium.ts'

/** The machine's own browser: none is downloaded. Whoever opens it closes it. */
export async function openChromium(): Promise<Browser> {
  // Chromium's sandbox does not start for root, as whom containers run tests.
  const chromiumSandbox = process.getuid?.() !== 0
  return await chromium.launch({ executablePath: findChromium(), chromiumSandbox })
}
