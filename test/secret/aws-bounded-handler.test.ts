import { afterEach, expect, test } from 'bun:test'
import { boundedHandler } from '#core/secret/aws/bounded-handler.ts'

const stops: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop()
})

function ask(serve: (request: Request) => Response | Promise<Response>, requestMsMax?: number) {
  const server = Bun.serve({ hostname: '127.0.0.1', port: 0, idleTimeout: 60, fetch: serve })
  stops.push(() => server.stop(true))
  const limits = requestMsMax === undefined ? {} : { requestMsMax }
  return boundedHandler(limits).handle({
    ...{ method: 'POST', protocol: 'http:', hostname: '127.0.0.1', port: server.port ?? 0 },
    ...{ path: '/a%20b', query: { one: '1 +', two: ['x', 'y'], three: null } },
    ...{ headers: { 'x-amz-target': 'secretsmanager.GetSecretValue' }, body: '{"ž":1}' },
  })
}

const tooLate = { name: 'TimeoutError' }
/** Milliseconds; the server never answers, so that only a handler without a limit takes longer. */
const shortMs = 100

test('a server that never answers is given up', async () => {
  await expect(ask(() => new Promise<Response>(() => undefined), shortMs)).rejects.toMatchObject({
    ...tooLate,
    message: 'no answer',
  })
})

test('an answer that does not end is given up', async () => {
  const drip = () =>
    new Response(
      new ReadableStream({
        async pull(controller) {
          await Bun.sleep(10)
          controller.enqueue(new Uint8Array([32]))
        },
      }),
    )
  await expect(ask(drip, shortMs)).rejects.toMatchObject(tooLate)
})

test('an answer beyond the limit of bytes is not read', async () => {
  const long = ask(() => new Response('x'.repeat(4_194_305)))
  await expect(long).rejects.toThrow('over 4194304 bytes')
  const { response } = await ask(() => new Response('x'.repeat(4_194_304)))
  expect(response.body).toHaveLength(4_194_304)
})

test('a redirect is an answer and is not followed', async () => {
  let requests = 0
  const { response } = await ask(() => {
    requests += 1
    return new Response('', { status: 307, headers: { location: '/elsewhere' } })
  })
  expect(response.statusCode).toBe(307)
  expect(requests).toBe(1)
})

test('the request arrives as it was signed, the answer as it was sent', async () => {
  const seen: unknown[] = []
  const { response } = await ask(async (request) => {
    const { pathname, search } = new URL(request.url)
    seen.push(pathname, search, request.method, request.headers.get('x-amz-target'))
    seen.push(await request.text())
    return new Response('{"é":2}', { status: 400, headers: { 'Retry-After': '7' } })
  })
  expect(seen).toEqual([
    ...['/a%20b', '?one=1%20%2B&two=x&two=y&three', 'POST'],
    ...['secretsmanager.GetSecretValue', '{"ž":1}'],
  ])
  expect(response.statusCode).toBe(400)
  expect(response.headers['retry-after']).toBe('7')
  expect(new TextDecoder().decode(response.body)).toBe('{"é":2}')
})
