import { beforeEach, expect, test } from 'bun:test'
import type { Page } from 'playwright-core'
import { once, show, unlock, useConsole, viewNames } from './console-world.ts'

const world = await useConsole()
let page: Page
beforeEach(async () => {
  page = await world.open()
  await unlock(page, await world.token('operator'))
})

const focused = () =>
  page.evaluate(`(document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent)
    .replace(/\\s+/g, ' ').trim()`)

test('the token is given and the page unlocked without a pointer', async () => {
  await page.getByRole('button', { name: 'Lock' }).press('Enter')
  await page.getByLabel('Token').waitFor()
  await page.locator('#token:focus').waitFor()
  await page.keyboard.insertText(await world.token('operator'))
  await page.keyboard.press('Enter')
  await page.getByRole('navigation', { name: 'Views' }).waitFor()
})

const focusedId = () => page.evaluate('document.activeElement.id')

test.each([
  ['h', 'Health'],
  ['q', 'Queues'],
  ['j', 'Jobs'],
  ['o', 'Orders'],
  ['s', 'Scores'],
  ['c', 'Schedules'],
  ['k', 'Secrets'],
  ['d', 'Drift'],
  ['a', 'Audit'],
])('g %s goes to %s', async (key, title) => {
  await show(page, title === 'Audit' ? 'drift' : 'audit', title === 'Audit' ? 'Drift' : 'Audit')
  await page.keyboard.press('g')
  await page.keyboard.press(key)
  await page.getByRole('heading', { level: 1, name: title }).waitFor()
  const wanted = `${title} · Postern`
  expect(
    await once(
      () => page.title(),
      (now) => now === wanted,
    ),
  ).toBe(wanted)
  expect(await once(focusedId, (id) => id === 'content')).toBe('content')
})

test('the first stop skips to the content, and each stop can be seen', async () => {
  await show(page, 'queues', 'Queues')
  // The walks below begin with it.
  await page.locator('.skip').focus()
  await page.keyboard.press('Tab')
  await page.keyboard.press('Shift+Tab')
  expect(await focused()).toBe('Skip to the content')
  const isSeen = () =>
    page.evaluate(`(() => {
      const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement)
      const { top } = document.activeElement.getBoundingClientRect()
      return outlineStyle !== 'none' && outlineWidth !== '0px' && top >= 0
    })()`)
  expect(await isSeen()).toBe(true)
  await page.keyboard.press('Enter')
  expect(await once(focusedId, (id) => id === 'content')).toBe('content')
  await page.keyboard.press('Tab')
  expect(await focused()).toBe('Filter queues by kind')
  expect(await isSeen()).toBe(true)
})

test.each(viewNames)(
  'every control of %s is reached by Tab, in the order of the page',
  async (name) => {
    await show(page, name.toLowerCase(), name)
    // Refreshing would change what there is while it is walked through.
    await page.getByRole('button', { name: 'Pause', exact: true }).click()
    const controls = await page.evaluate(`(() => {
    const found = [...document.querySelectorAll('a[href], button, input, select, [tabindex="0"]')]
    const seen = found.filter((one) => !one.disabled && one.checkVisibility())
    seen.forEach((one, at) => one.setAttribute('data-stop', at))
    return seen.length
  })()`)
    await page.locator('.skip').focus()
    const stops = [await page.evaluate('document.activeElement.dataset.stop')]
    for (let at = 1; at < Number(controls); at++) {
      await page.keyboard.press('Tab')
      stops.push(await page.evaluate('document.activeElement.dataset.stop'))
    }
    expect(stops).toEqual(stops.map((_, at) => String(at)))
  },
)

test('/ finds the search, j and k walk the rows, Enter opens one, Escape leaves a field', async () => {
  await show(page, 'jobs', 'Jobs')
  await page.keyboard.press('/')
  expect(await focused()).toBe('Job id or subject')
  await page.keyboard.type('gjk?')
  expect(await page.getByLabel('Job id or subject').inputValue()).toBe('gjk?')
  await page.keyboard.press('Escape')
  await page.keyboard.press('j')
  await page.keyboard.press('j')
  await page.keyboard.press('k')
  const first = page.locator('tbody tr').first().locator('a')
  const href = await first.getAttribute('href')
  const focusedHref = () => page.evaluate('document.activeElement.getAttribute("href")')
  expect(await once(focusedHref, (now) => now === href)).toBe(href)
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { level: 1, name: /^Jobs/ }).locator('code').waitFor()
})

test('a subject that is searched for stands in the list, and so does its filter after a reload', async () => {
  await show(page, 'jobs', 'Jobs')
  await page.keyboard.press('/')
  await page.keyboard.type('quant-lab')
  await page.keyboard.press('Enter')
  await page.waitForURL(/subject%3Dquant-lab$/)
  await page.locator('main:not(:has([aria-busy=true]))').waitFor()
  const subjects = await page.locator('tbody td:nth-child(4)').allTextContents()
  expect(new Set(subjects)).toEqual(new Set(['quant-lab']))
})

test('? tells the keys, a dialog holds the focus, and gives it back', async () => {
  await show(page, 'orders', 'Orders')
  await page.keyboard.press('?')
  await page.getByRole('dialog', { name: 'Keys' }).waitFor()
  await page.keyboard.press('g')
  await page.keyboard.press('q')
  await page.keyboard.press('Escape')
  await page.getByRole('dialog', { name: 'Keys' }).waitFor({ state: 'hidden' })
  expect(await page.title()).toBe('Orders · Postern')
  await page.getByRole('button', { name: 'Halt …' }).press('Enter')
  await page.getByRole('dialog', { name: 'Halt trading' }).waitFor()
  for (let stop = 0; stop < 12; stop++) {
    await page.keyboard.press('Tab')
    // Past the last stop the focus is the browser's for one, never the page's behind the dialog.
    const place = await page.evaluate(
      `document.activeElement === document.body || document.activeElement.closest('dialog') !== null`,
    )
    expect(place).toBe(true)
  }
  await page.keyboard.press('Escape')
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  expect(await focused()).toBe('Halt …')
})

test('what came of an act is told to who does not see it', async () => {
  await show(page, 'drift', 'Drift')
  const live = page.locator('[role=status][aria-live=polite]')
  expect(await live.count()).toBe(1)
  await page.getByRole('button', { name: 'Check now' }).press('Enter')
  await live.getByText('A worker compares').waitFor()
})
