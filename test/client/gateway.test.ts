import { afterAll, beforeAll, expect, test } from 'bun:test'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createPosternClient, type JobEvent } from 'postern/client'
import { openChromium } from '#test/support/chromium.ts'
import { posternCommand } from '#test/support/postern-command.ts'
import {
  freePort,
  removeAtExit,
  runCommand,
  type ServerProcess,
  startServer,
} from '#test/support/server-process.ts'
import { operationsText } from '../../ci/client/operations-text.ts'

const root = join(import.meta.dir, '..', '..')
/** Of the bundled sample, on its last day. */
const wallet = 'GiT17sgqU75hbRdnuPKMHWudgeqXo93vd95xkDn5qJtX'
const endDate = '2025-09-30'

let folder: string
let url: string
let token = ''
let server: ServerProcess

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-client-'))
  removeAtExit(folder)
  const port = await freePort()
  url = `http://127.0.0.1:${port}`
  server = await startServer({
    command: [...posternCommand, 'up', '--port', String(port), '--data', join(folder, 'data')],
    cwd: folder,
    ready: /^The API: /,
    onLine(line) {
      if (/^eyJ[\w-]+\.[\w-]+\.[\w-]+$/.test(line)) token = line
    },
  })
}, 60_000)

afterAll(async () => {
  await server.stop('SIGTERM')
})

const client = () => createPosternClient({ baseUrl: url, token })

async function run(command: readonly string[]): Promise<string> {
  const child = Bun.spawn([...command], {
    cwd: root,
    env: { PATH: process.env['PATH'] ?? '', POSTERN_URL: url, POSTERN_TOKEN: token },
    stdout: 'pipe',
    stderr: 'pipe',
  })
  const [out, error] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ])
  return `${await child.exited}\n${out}${error}`
}

const example = (name: string) => join(root, 'client', 'examples', `${name}.ts`)

test('client/operations.ts is what ci/generate-client makes of the document, byte for byte', async () => {
  const document: unknown = await (await fetch(`${url}/openapi.json`)).json()
  const made = await Bun.file(join(root, 'client', 'operations.ts')).text()
  expect(operationsText(document) === made).toBe(true)
})

test('the example scores a wallet, and says what is wrong with a name that is none', async () => {
  const bun = process.execPath
  expect(await run([bun, example('score-wallet'), wallet])).toBe(`0\n${wallet} eligible no score\n`)
  const refused = await run([bun, example('score-wallet'), 'nobody'])
  expect(refused).toStartWith('1\nrequest.body_invalid')
  expect(refused).toContain('/payload/wallet must be a base58 address of 32 bytes')
})

test('the example places an order and shows what became of it', async () => {
  const out = await run([process.execPath, example('place-order'), 'AAPL', '3'])
  expect(out).toStartWith('0\nbuy 3 AAPL: denied\n')
  expect(out).toEndWith('  0 submit\n  1 risk.deny\n')
})

test('a job is accepted once, waited for and watched to its end', async () => {
  const body = { payload: { endDate } }
  const input = { body, idempotencyKey: 'cohort-of-the-day' }
  const first = await client().call('enqueue-score-cohort', input)
  const again = await client().call('enqueue-score-cohort', input)
  expect(again.id).toBe(first.id)
  const job = await client().waitFor(first.id)
  expect(job).toMatchObject({ id: first.id, kind: 'score-cohort', state: 'completed' })
  const events: JobEvent[] = []
  for await (const event of client().watchJob(first.id)) events.push(event)
  expect(events.at(-1)?.job).toMatchObject({ id: first.id, state: 'completed' })
  const { scores } = await client().call('list-scores', { query: { min: '50', limit: 5 } })
  expect(scores.length).toBeGreaterThan(0)
})

test('an account is held against its venue, the only one without being named', async () => {
  const told = await client().call('reconcile-account')
  expect(told).toMatchObject({ status: 'completed', result: { mismatches: [], replayed: 0 } })
  const account = told.result?.account ?? ''
  const again = await client().call('reconcile-account', { query: { account } })
  expect(again.result?.account).toBe(account)
  const other = client().call('reconcile-account', { query: { account: 'not-mine' } })
  await expect(other).rejects.toMatchObject({ code: 'account.not_authorized' })
})

test('what an operator reads as text comes as text, and what is refused as its problem', async () => {
  expect(await client().call('read-metrics')).toContain('postern_')
  const unknown = { params: { id: crypto.randomUUID() } }
  expect(
    await client()
      .call('cancel-order', unknown)
      .catch((error: unknown) => error),
  ).toMatchObject({ name: 'PosternProblem', code: 'order.not_found', status: 404 })
  const secret = { params: { name: 'postern/nobodys' } }
  expect(
    await client()
      .call('list-rotations', secret)
      .catch((error: unknown) => error),
  ).toMatchObject({ code: 'secret.unknown', status: 404 })
  const stranger = createPosternClient({ baseUrl: url, token: 'stranger' })
  expect(await stranger.call('list-kinds').catch((error: unknown) => error)).toMatchObject({
    ...{ code: 'auth.token_rejected', status: 401 },
  })
})

test('the client compiles with nothing of Bun, and the module made of it runs in Node', async () => {
  await runCommand([join(root, 'node_modules', '.bin', 'tsc'), '-p', join(root, 'client')])
  const script = await Bun.file(example('score-wallet')).text()
  const module = join(folder, 'example.mjs')
  const entry = join(folder, 'example.ts')
  await Bun.write(entry, script.replace('postern/client', join(root, 'client/postern-client.ts')))
  await runCommand([process.execPath, 'build', entry, '--target=node', `--outfile=${module}`])
  expect(await run(['node', module, wallet])).toStartWith(`0\n${wallet} eligible `)
}, 60_000)

test('the module runs in a browser, on a page of the same origin', async () => {
  const { outputs } = await Bun.build({
    entrypoints: [join(root, 'client', 'postern-client.ts')],
    target: 'browser',
    format: 'esm',
  })
  const source = await outputs[0]?.text()
  const browser = await openChromium()
  try {
    const page = await browser.newPage()
    await page.route('**/page', (route) =>
      route.fulfill({ contentType: 'text/html', body: '<!doctype html><title>page</title>' }),
    )
    await page.route('**/postern-client.js', (route) =>
      route.fulfill({ contentType: 'text/javascript', body: source ?? '' }),
    )
    await page.goto(`${url}/page`)
    const kinds = await page.evaluate(`import('/postern-client.js').then(async (module) => {
      const client = module.createPosternClient({ baseUrl: location.origin, token: ${JSON.stringify(token)} })
      return (await client.call('list-kinds')).kinds.map((kind) => kind.name)
    })`)
    expect(kinds).toContain('score-wallet')
  } finally {
    await browser.close()
  }
})
