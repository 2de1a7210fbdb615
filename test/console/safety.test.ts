import { expect, test } from 'bun:test'
import type { Page } from 'playwright-core'
import { z } from 'zod'
import { show, unlock, useConsole, viewNames } from './console-world.ts'
import { hostileText } from './seed-console.ts'

const world = await useConsole()

/** What the browser complains about: refused by the policy, thrown by the page. */
function complaintsOf(page: Page): string[] {
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('console', (message) => {
    const text = message.text()
    // An answer that is no 2xx is told by the browser as well; the page shows those itself.
    if (message.type() === 'error' && !text.startsWith('Failed to load resource')) {
      complaints.push(text)
    }
  })
  return complaints
}

/** Wherever a page could keep something for another one, or show it. */
async function remains(page: Page): Promise<string> {
  const cookies = await page.context().cookies()
  const stores = await page.evaluate(`JSON.stringify({
    local: { ...localStorage }, session: { ...sessionStorage }, name: window.name,
    url: location.href, history: history.state, html: document.documentElement.outerHTML,
    fields: [...document.querySelectorAll('input')].map((input) => input.value),
  })`)
  const databases = await page.evaluate('indexedDB.databases().then(JSON.stringify)')
  return JSON.stringify([cookies, stores, databases])
}

test('the token is in no store, no cookie, no URL and not in the document', async () => {
  const page = await world.open()
  const asked: string[] = []
  page.on('request', (request) => asked.push(request.url()))
  const token = await world.token('developer')
  await unlock(page, token)
  for (const name of viewNames) {
    await show(page, name.toLowerCase(), name)
    const [, , signature = ''] = token.split('.')
    expect(await remains(page)).not.toContain(signature)
  }
  expect(asked.filter((url) => url.includes(token))).toEqual([])
  expect(asked.every((url) => url.startsWith(world.url) || url.startsWith('data:'))).toBe(true)
})

test('nothing the page does is refused by its own policy', async () => {
  const page = await world.open()
  const complaints = complaintsOf(page)
  await page.reload()
  await unlock(page, await world.token('developer'))
  for (const name of viewNames) await show(page, name.toLowerCase(), name)
  await page.keyboard.press('?')
  await page.getByRole('dialog', { name: 'Keys' }).waitFor()
  expect(complaints).toEqual([])
})

test('the policy is in force: text does not become script, in no way', async () => {
  const page = await world.open()
  const tried = await page.evaluate(`(() => {
    const told = []
    for (const work of [
      () => { document.body.innerHTML = '<b>x</b>' },
      () => { document.createElement('script').text = 'document.title = "owned"' },
      () => trustedTypes.createPolicy('mine', {}),
    ]) {
      try { work(); told.push('done') } catch (error) { told.push(error.name) }
    }
    return told
  })()`)
  expect(tried).toEqual(['TypeError', 'TypeError', 'TypeError'])
})

test('markup in what a job says stays text', async () => {
  const page = await world.open()
  const complaints = complaintsOf(page)
  await unlock(page, await world.token('developer'))
  const listed = await world.call('GET', '/v1/jobs?state=completed&limit=200')
  const jobs = z
    .object({ jobs: z.array(z.object({ id: z.string(), subject: z.string() })) })
    .parse(await listed.json())
  const hostile = jobs.jobs.find(({ subject }) => subject === hostileText)
  await show(page, 'jobs/state=completed', 'Jobs')
  await page.getByText(hostileText).first().waitFor()
  await show(page, `jobs/${hostile?.id}`, hostile?.id ?? '')
  await page.getByText(hostileText).first().waitFor()
  await page.locator('pre', { hasText: '<img src=x' }).waitFor()
  await show(page, `jobs/${encodeURIComponent(`subject=${hostileText}`)}`, 'Jobs')
  expect(await page.locator('img, main script').count()).toBe(0)
  expect(await page.title()).not.toContain('owned')
  expect(complaints).toEqual([])
})

async function expectLocked(page: Page, why: string): Promise<void> {
  await page.getByText(why).waitFor()
  expect(await page.getByRole('navigation').count()).toBe(0)
  expect(await page.getByLabel('Token').inputValue()).toBe('')
  const asked: string[] = []
  page.on('request', (request) => asked.push(request.url()))
  await page.clock.runFor(20_000)
  expect(asked).toEqual([])
}

test('locking forgets the token, and nothing is asked any more', async () => {
  const page = await world.open()
  await page.clock.install()
  await unlock(page, await world.token('developer'))
  await show(page, 'queues', 'Queues')
  await page.getByRole('button', { name: 'Lock' }).click()
  await expectLocked(page, 'Locked.')
})

test('15 minutes without a sign of life lock the page, 14 do not', async () => {
  const page = await world.open()
  await page.clock.install()
  await unlock(page, await world.token('developer'))
  await page.clock.fastForward('14:00')
  expect(await page.getByRole('navigation', { name: 'Views' }).count()).toBe(1)
  await page.keyboard.press('Shift')
  await page.clock.fastForward('14:00')
  expect(await page.getByRole('navigation', { name: 'Views' }).count()).toBe(1)
  await page.clock.fastForward('01:10')
  await expectLocked(page, 'Locked after 15 minutes without a sign of life.')
})

test('a token that the gateway takes no more locks the page', async () => {
  const page = await world.open()
  await page.clock.install()
  await unlock(page, await world.token('developer'))
  await page.route('**/internal/**', (route) =>
    route.continue({ headers: { ...route.request().headers(), authorization: 'Bearer gone' } }),
  )
  await page.keyboard.press('r')
  await expectLocked(page, 'The gateway takes this token no more.')
})

test('a page that is left is locked: the browser may keep it whole, to go back to', async () => {
  const page = await world.open()
  await page.clock.install()
  await unlock(page, await world.token('developer'))
  await page.evaluate(`dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }))`)
  await expectLocked(page, 'Locked when you left the page.')
})

test('a token that is refused late does not lock whoever has come since', async () => {
  const page = await world.open()
  await unlock(page, await world.token('developer'))
  await show(page, 'schedules/check-rotation', 'Schedules')
  const released = Promise.withResolvers<void>()
  await page.route('**/check-rotation/run', async (route) => {
    await released.promise
    await route.continue({
      headers: { ...route.request().headers(), authorization: 'Bearer gone' },
    })
  })
  const asked = page.waitForRequest('**/check-rotation/run')
  const answered = page.waitForResponse('**/check-rotation/run')
  await page.getByRole('button', { name: 'Run check-rotation now' }).click()
  await asked
  await page.getByRole('button', { name: 'Lock' }).click()
  await unlock(page, await world.token('colleague'))
  released.resolve()
  expect((await answered).status()).toBe(401)
  await show(page, 'queues', 'Queues')
  await page.getByText('colleague').waitFor()
})

test.each([
  ['what is no token', 'two words', 'That is no token'],
  ['a token of nobody', 'eyJhbGciOiJub25lIn0.e30.', 'Bearer token rejected'],
])('%s opens nothing', async (_name, pasted, told) => {
  const page = await world.open()
  await page.getByLabel('Token').fill(pasted)
  await page.getByRole('button', { name: 'Unlock' }).click()
  await page.getByText(told).waitFor()
  expect(await page.getByLabel('Token').inputValue()).toBe('')
  expect(await page.getByRole('navigation').count()).toBe(0)
})

test('a page of another site cannot act, read or frame, though an operator is logged in', async () => {
  const context = await world.browser.newContext()
  const operator = await context.newPage()
  await operator.goto(`${world.url}/internal/console`)
  await unlock(operator, await world.token('developer'))
  const evil = await context.newPage()
  await evil.route('http://evil.example/**', (route) =>
    route.fulfill({
      contentType: 'text/html',
      body: `<form method="post" action="${world.url}/internal/queues/score-wallet/pause"><button>Win</button></form>
        <iframe src="${world.url}/internal/console"></iframe>`,
    }),
  )
  await evil.goto('http://evil.example/')
  const read = await evil.evaluate(
    `fetch('${world.url}/internal/queues', { credentials: 'include' }).then(() => 'read', () => 'refused')`,
  )
  expect(read).toBe('refused')
  const frame = evil.frames().find((candidate) => candidate !== evil.mainFrame())
  expect(await frame?.locator('#console').count()).toBe(0)
  await evil.getByRole('button', { name: 'Win' }).click()
  await evil.getByText('auth.token_rejected').waitFor()
  const queues = await (await world.call('GET', '/internal/queues')).text()
  expect(queues).not.toContain('"paused":true')
})
