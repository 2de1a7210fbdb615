import { beforeEach, expect, test } from 'bun:test'
import type { Page } from 'playwright-core'
import { show, unlock, useConsole } from './console-world.ts'

const world = await useConsole()
let page: Page
beforeEach(async () => {
  page = await world.open()
})

/** The requests for a path, as they come. */
function requestsFor(path: string): string[] {
  const asked: string[] = []
  page.on('request', (request) => {
    if (request.url().includes(path)) asked.push(request.url())
  })
  return asked
}

const press = (name: string) => page.getByRole('button', { name, exact: true }).click()

async function setHidden(hidden: boolean): Promise<void> {
  await page.evaluate(`
    Object.defineProperty(document, 'hidden', { configurable: true, value: ${hidden} })
    document.dispatchEvent(new Event('visibilitychange'))`)
}

/** Whatever makes the page go on by itself. */
async function leaveAndGoOn(): Promise<void> {
  await press('Pause')
  await press('Paused')
  await setHidden(true)
  await setHidden(false)
}

async function refreshNow(path: string): Promise<void> {
  const asked = page.waitForRequest((request) => request.url().includes(path))
  await page.keyboard.press('r')
  await asked
}

test('what was refused is asked for again by a person only', async () => {
  await unlock(page, await world.token('reader', ['queues:read']))
  const asked = requestsFor('/internal/drift')
  await show(page, 'drift', 'Drift')
  await page.getByText('This panel needs').waitFor()
  await leaveAndGoOn()
  await refreshNow('/internal/drift')
  expect(asked).toHaveLength(2)
  await leaveAndGoOn()
  await show(page, 'queues', 'Queues')
  expect(asked).toHaveLength(2)
})

test('records are read when a person asks for them, and never because the page goes on', async () => {
  await unlock(page, await world.token('operator'))
  const asked = requestsFor('/internal/audit/entries')
  await show(page, 'audit', 'Audit')
  await press('Read')
  await page.getByRole('heading', { name: /^From / }).waitFor()
  await leaveAndGoOn()
  await refreshNow('/internal/audit/entries')
  expect(asked).toHaveLength(2)
})

test('what was to be asked once while nobody looked is asked when somebody does', async () => {
  await unlock(page, await world.token('operator'))
  await show(page, 'audit', 'Audit')
  const asked = requestsFor('/internal/audit/entries')
  await setHidden(true)
  await press('Read')
  await page.getByRole('heading', { name: /^From / }).waitFor()
  expect(asked).toHaveLength(0)
  await setHidden(false)
  await page.locator('main:not(:has([aria-busy=true]))').waitFor()
  expect(asked).toHaveLength(1)
})

test('a job that is followed is not asked for any more once it has ended', async () => {
  await unlock(page, await world.token('operator'))
  await show(page, 'audit', 'Audit')
  let ends = 0
  await page.route('**/v1/jobs/*?wait=*', async (route) => {
    const response = await route.fetch()
    if ((await response.text()).includes('"finishedAt"')) ends++
    await route.fulfill({ response })
  })
  await press('Verify now')
  await page.getByText(/^Verified: [\d,]+ entries, nothing wrong$/).waitFor({ timeout: 60_000 })
  await leaveAndGoOn()
  await show(page, 'queues', 'Queues')
  expect(ends).toBe(1)
})
