import { afterAll, beforeAll, beforeEach, expect, test } from 'bun:test'
import type { Browser, Page } from 'playwright-core'
import { silentLog } from '#core/log.ts'
import { type HttpListener, listen } from '#gateway/listen.ts'
import { openChromium } from '#test/support/chromium.ts'
import { memoryGateway } from './memory-gateway.ts'

let browser: Browser
let listener: HttpListener
let page: Page
let asked: string[]
let complaints: string[]

beforeAll(async () => {
  const { gateway } = memoryGateway()
  listener = listen({ gateway, address: '127.0.0.1', port: 0, log: silentLog() })
  browser = await openChromium()
})

afterAll(async () => {
  await browser.close()
  await listener.stop(100)
})

beforeEach(async () => {
  const context = await browser.newContext()
  page = await context.newPage()
  asked = []
  complaints = []
  page.on('request', (request) => void asked.push(request.url()))
  page.on('pageerror', (error) => void complaints.push(error.message))
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text())
  })
  // Some violations are only reported as events.
  await page.exposeFunction('complain', (text: string) => void complaints.push(text))
  await page.addInitScript(
    `document.addEventListener('securitypolicyviolation', (event) => complain(event.violatedDirective + ' ' + event.blockedURI))`,
  )
  await page.goto(new URL('/docs', listener.url).href)
  await page.getByText('Enqueue: Score a wallet').first().waitFor()
})

function isElsewhere(url: string): boolean {
  const { origin, protocol } = new URL(url)
  return protocol !== 'data:' && origin !== new URL(listener.url).origin
}

test('the page shows our operations, asks nobody but us and breaks no rule of its policy', async () => {
  await page.getByText('/v1/jobs/score-wallet').first().waitFor()
  // What Scalar makes when one looks at it.
  await page.getByRole('link', { name: 'Cancel a job, waiting or running' }).first().click()
  await page.getByText('A cancelled job can have no effect any more').first().waitFor()
  expect(asked.filter(isElsewhere)).toEqual([])
  expect(asked).toContain(new URL('/openapi.json', listener.url).href)
  expect(complaints).toEqual([])
})

test('a request may be tried from the page with a token, which no store of the browser keeps', async () => {
  await page.getByPlaceholder('Token').first().fill('all')
  await page.getByRole('link', { name: 'Jobs, newest first' }).first().click()
  await page
    .getByRole('button', { name: /Test Request.*get \/v1\/jobs\)/i })
    .first()
    .click()
  const answered = page.waitForResponse((response) => response.url().endsWith('/v1/jobs'))
  await page.getByRole('button', { name: /Send/ }).first().click()
  expect((await answered).status()).toBe(200)
  expect(asked.filter(isElsewhere)).toEqual([])
  expect(complaints).toEqual([])
  const kept = await page.evaluate(
    'JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie])',
  )
  expect(kept).not.toContain('"all"')
})
