import { afterEach, setDefaultTimeout } from 'bun:test'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { BrowserContextOptions, Page } from 'playwright-core'
import {
  developmentAudience,
  developmentTtlSecondsMax,
  loadOrCreateDevelopmentKey,
  mintDevelopmentToken,
} from '#core/access/development-issuer.ts'
import { openChromium } from '#test/support/chromium.ts'
import { posternCommand } from '#test/support/postern-command.ts'
import { freePort, removeAtExit, startServer } from '#test/support/server-process.ts'
import { seedConsole } from './seed-console.ts'

/** All that the console asks for, and what a service needs to give it something to show. */
const operatorScopes: readonly string[] = [
  ...['jobs:read', 'jobs:read:any', 'jobs:cancel', 'jobs:cancel:any', 'jobs:retry'],
  ...['jobs:retry:any', 'jobs:write:scoring', 'queues:read', 'queues:admin', 'scores:read'],
  ...['metrics:read', 'trading:read', 'trading:halt', 'trading:rearm', 'orders:read'],
  ...['schedules:read', 'schedules:write', 'secrets:read', 'secrets:write', 'drift:read'],
  ...['audit:read', 'incidents:read', 'orders:write', 'market:write'],
]

export type ConsoleWorld = Awaited<ReturnType<typeof openConsoleWorld>>

let shared: Promise<ConsoleWorld> | undefined

/** Milliseconds: a gateway, an embedded Postgres and a browser, beside whatever else runs. */
const testMsMax = 90_000

/**
 * For a test file: one world for all files of a test process, gone with it. What a test has opened
 * in the browser is closed after it.
 */
export async function useConsole(): Promise<ConsoleWorld> {
  setDefaultTimeout(testMsMax)
  shared ??= openConsoleWorld()
  const world = await shared
  afterEach(async () => {
    for (const context of world.browser.contexts()) await context.close()
  })
  return world
}

/** `postern up` from source, on states written before, and a browser beside it. */
export async function openConsoleWorld() {
  const data = await mkdtemp(join(tmpdir(), 'postern-console-'))
  removeAtExit(data)
  await seedConsole(data, new Date())
  const port = await freePort()
  const server = await startServer({
    command: [...posternCommand, 'up', '--data', data, '--port', String(port)],
    ready: /^Development token/,
    cwd: data,
  })
  const browser = await openChromium()
  const key = await loadOrCreateDevelopmentKey(data)
  const url = `http://127.0.0.1:${port}`

  function token(subject: string, scopes = operatorScopes): Promise<string> {
    return mintDevelopmentToken({
      ...{ key, subject, scopes, ttlSeconds: developmentTtlSecondsMax },
      ...{ audience: developmentAudience, now: new Date() },
    })
  }

  return {
    url,
    browser,
    token,
    /** A page of a context of its own; it shows the question for a token. */
    async open(options: BrowserContextOptions = {}): Promise<Page> {
      const context = await browser.newContext(options)
      const page = await context.newPage()
      await page.goto(`${url}/internal/console`)
      await page.getByLabel('Token').waitFor()
      return page
    },
    async call(method: string, path: string, body?: unknown): Promise<Response> {
      const headers = {
        authorization: `Bearer ${await token('developer')}`,
        'content-type': typeof body === 'string' ? 'text/csv' : 'application/json',
      }
      const text = typeof body === 'string' ? body : JSON.stringify(body)
      return await fetch(new URL(path, url), {
        method,
        headers,
        ...(body === undefined ? {} : { body: text }),
      })
    },
    async close(): Promise<void> {
      await browser.close()
      await server.stop('SIGTERM')
    },
  }
}

export async function unlock(page: Page, token: string): Promise<void> {
  await page.getByLabel('Token').fill(token)
  await page.getByRole('button', { name: 'Unlock' }).click()
  await page.getByRole('navigation', { name: 'Views' }).waitFor()
}

/** A view by its fragment, once all its panels have their answers. */
export async function show(page: Page, place: string, heading: string): Promise<void> {
  await page.evaluate(`location.hash = ${JSON.stringify(`#/${place}`)}`)
  await page.getByRole('heading', { level: 1, name: heading }).waitFor()
  await page.locator('main:not(:has([aria-busy=true]))').waitFor()
}

/** Milliseconds for a page to draw what it has been told. */
const drawMsMax = 5_000

/** What `read` comes to once it is as wanted; or what it still is when the page had time enough. */
export async function once<Value>(
  read: () => Promise<Value>,
  isWanted: (value: Value) => boolean,
): Promise<Value> {
  const giveUpAt = performance.now() + drawMsMax
  for (;;) {
    const value = await read()
    if (isWanted(value) || performance.now() > giveUpAt) return value
    await Bun.sleep(20)
  }
}

export const viewNames = [
  ...(['Health', 'Queues', 'Jobs', 'Orders', 'Scores'] as const),
  ...(['Schedules', 'Secrets', 'Drift', 'Audit'] as const),
]
