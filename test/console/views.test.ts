import { beforeAll, expect, test } from 'bun:test'
import { AxeBuilder } from '@axe-core/playwright'
import type { Page } from 'playwright-core'
import { z } from 'zod'
import { once, show, unlock, useConsole, viewNames } from './console-world.ts'

const wallet = 'GiT17sgqU75hbRdnuPKMHWudgeqXo93vd95xkDn5qJtX'

const world = await useConsole()
const jobPage = z.object({ jobs: z.array(z.object({ id: z.string() })) })
let failedJob = ''
beforeAll(async () => {
  await world.call('POST', '/v1/jobs/score-cohort?wait=30', { payload: { endDate: '2025-09-30' } })
  await world.call('POST', '/internal/trading/halt', {
    ...{ scope: 'symbol', key: 'SPX', reason: 'prices look wrong' },
  })
  const failed = await world.call('GET', '/v1/jobs?state=failed')
  failedJob = jobPage.parse(await failed.json()).jobs[0]?.id ?? ''
})

/** All that axe knows in light; in dark the colours, which is all that changes. */
async function violations(page: Page): Promise<string[]> {
  await page.emulateMedia({ colorScheme: 'light' })
  const inLight = await new AxeBuilder({ page }).analyze()
  await page.emulateMedia({ colorScheme: 'dark' })
  const inDark = await new AxeBuilder({ page }).withRules(['color-contrast']).analyze()
  return [...inLight.violations, ...inDark.violations].flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`),
  )
}

const places = ['login', ...viewNames, 'failed job', 'wallet', 'runs'] as const

async function goTo(page: Page, place: (typeof places)[number]): Promise<void> {
  if (place === 'login') return
  await unlock(page, await world.token('developer'))
  if (place === 'failed job') await show(page, `jobs/${failedJob}`, failedJob)
  else if (place === 'wallet') await show(page, `scores/${wallet}`, wallet)
  else if (place === 'runs') await show(page, 'schedules/verify-audit', 'Schedules')
  else await show(page, place.toLowerCase(), place)
}

test.each(places)('axe finds nothing wrong, in light and in dark, with: %s', async (place) => {
  const page = await world.open()
  await goTo(page, place)
  expect(await violations(page)).toEqual([])
})

test('axe finds nothing wrong, in light and in dark, with a dialog or a refusal', async () => {
  const page = await world.open()
  await unlock(page, await world.token('reader', ['queues:read', 'trading:read']))
  await show(page, 'orders', 'Orders')
  await page.getByRole('button', { name: 'Halt …' }).click()
  await page.getByLabel('Reason').fill('to see what is refused')
  await page.getByRole('button', { name: 'Halt', exact: true }).click()
  await page.getByText('This needs a token with the scope trading:halt.').waitFor()
  expect(await violations(page)).toEqual([])
})

test('a view that is asked for the moment the page unlocks is shown', async () => {
  const page = await world.open()
  await page.evaluate(`new MutationObserver((_, observer) => {
    if (document.querySelector('nav') === null) return
    observer.disconnect()
    location.hash = '#/queues'
  }).observe(document.body, { childList: true, subtree: true })`)
  await unlock(page, await world.token('developer'))
  await page.getByRole('heading', { level: 1, name: 'Queues' }).waitFor()
})

test('what a token may not see says so, and takes nothing else with it', async () => {
  const page = await world.open()
  await unlock(page, await world.token('reader', ['queues:read']))
  await page.getByText('Waiting jobs').waitFor()
  const tile = page.locator('.tile', { hasText: 'Secrets due' })
  await tile.getByText('This needs a token with the scope secrets:read.').waitFor()
  await show(page, 'queues', 'Queues')
  expect(await page.locator('tbody tr').count()).toBeGreaterThan(5)
  for (const [place, heading, scope] of [
    ['jobs', 'Jobs', 'jobs:read'],
    ['orders', 'Orders', 'trading:read'],
    ['scores', 'Scores', 'scores:read'],
    ['schedules', 'Schedules', 'schedules:read'],
    ['secrets', 'Secrets', 'secrets:read'],
    ['drift', 'Drift', 'drift:read'],
    ['audit', 'Audit', 'audit:read'],
  ] as const) {
    await show(page, place, heading)
    const problem = page.locator('.problem', { hasText: `needs ${scope}` }).first()
    await problem.waitFor()
    expect(await problem.locator('strong').textContent()).toBe('Scope missing')
    expect(await problem.textContent()).toMatch(/request [0-9a-f-]{36}/)
  }
})

test('incidents are told with what it took to recover, class by class', async () => {
  const page = await world.open()
  await unlock(page, await world.token('developer'))
  await show(page, 'health', 'Health')
  const panel = page.getByRole('region', { name: 'Incidents' })
  const facts = panel.locator('.facts')
  await facts.getByText('queue: 2 in 90 days').waitFor()
  await facts.getByText('back in 15 s, at worst 19 s').waitFor()
  const row = panel.getByRole('row', { name: /database/ })
  expect(await row.textContent()).toMatch(/recovered.*3 d ago.*41 s.*no answer in time/)
})

test('a refusal is final: each question would be a record of the audit log', async () => {
  const page = await world.open()
  await page.clock.install()
  await unlock(page, await world.token('reader', ['queues:read']))
  await show(page, 'secrets', 'Secrets')
  await page.locator('.problem', { hasText: 'needs secrets:read' }).waitFor()
  const asked: string[] = []
  page.on('request', (request) => asked.push(request.url()))
  await page.clock.runFor(30_000)
  expect(asked).toEqual([])
  const again = page.waitForRequest('**/internal/secrets')
  await page.keyboard.press('r')
  await again
})

test.each([
  [360, 640],
  [768, 1_024],
  [3_840, 2_160],
])('on %d × %d nothing but a table scrolls sideways', async (width, height) => {
  const page = await world.open({ viewport: { width, height } })
  await unlock(page, await world.token('developer'))
  for (const name of viewNames) {
    await show(page, name.toLowerCase(), name)
    const wide = await page.evaluate('document.documentElement.scrollWidth')
    expect({ name, wide }).toEqual({ name, wide: width })
  }
})

test('the times of a page are kept fresh, not while it is hidden or paused', async () => {
  const page = await world.open()
  await page.clock.install()
  await unlock(page, await world.token('developer'))
  let asked = 0
  page.on('request', (request) => {
    if (request.url().endsWith('/internal/queues')) asked++
  })
  const nextRound = async () => {
    const before = asked
    await page.clock.runFor(6_000)
    await page.waitForLoadState('networkidle')
    return asked - before
  }
  await show(page, 'queues', 'Queues')
  const second = page.waitForRequest('**/internal/queues')
  await page.clock.runFor(6_000)
  await second
  await page.getByRole('button', { name: 'Pause', exact: true }).click()
  await nextRound()
  expect(await nextRound()).toBe(0)
  await page.clock.runFor(10_000)
  await page.getByRole('button', { name: /^Updated \d+ s ago$/ }).waitFor()
  const resumed = page.waitForRequest('**/internal/queues')
  await page.getByRole('button', { name: 'Paused' }).click()
  await resumed
  const hide = (isHidden: boolean) =>
    page.evaluate(`Object.defineProperty(document, 'hidden', { value: ${isHidden}, configurable: true });
      document.dispatchEvent(new Event('visibilitychange'))`)
  await hide(true)
  await nextRound()
  expect(await nextRound()).toBe(0)
  const shown = page.waitForRequest('**/internal/queues')
  await hide(false)
  await shown
})

test('a theme is chosen for this page only', async () => {
  const page = await world.open({ colorScheme: 'light' })
  await unlock(page, await world.token('developer'))
  const ground = () => page.evaluate('getComputedStyle(document.body).backgroundColor')
  const light = await ground()
  await page.getByRole('button', { name: 'Dark' }).click()
  expect(await once(ground, (now) => now !== light)).not.toBe(light)
  await page.reload()
  await page.getByLabel('Token').waitFor()
  expect(await ground()).toBe(light)
})
