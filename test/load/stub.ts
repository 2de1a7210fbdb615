/**
 * Answers at once what a gateway would, and does nothing: what a client sees of it is the client.
 *
 *   bun test/load/stub.ts [--port 8000] [--latency-ms 0]
 *
 * Prints `stub on PORT` when it listens.
 */
const option = (name: string, usual: number) => {
  const at = process.argv.indexOf(`--${name}`)
  return at === -1 ? usual : Number(process.argv[at + 1])
}
const latencyMs = option('latency-ms', 0)

/** About as long as an order's document, so that the client has as much to read. */
const order = {
  status: 'accepted',
  client_order_id: '0198c0de-0000-7000-8000-000000000000',
  account: 'load-0',
  symbol: 'AAPL',
  side: 'buy',
  type: 'limit',
  time_in_force: 'day',
  quantity: '100',
  requested_quantity: '100',
  limit_price: '150.25',
  reduce_only: false,
  filled_quantity: '0',
  leaves_quantity: '100',
  reject_details: [],
  warnings: [],
  received_at: '2026-01-01T00:00:00.000Z',
  updated_at: '2026-01-01T00:00:00.000Z',
}
const anything = JSON.stringify({ positions: [], fills: [], days: [], status: 'completed' })
const json = { 'content-type': 'application/json' }

async function answer(request: Request): Promise<Response> {
  const path = new URL(request.url).pathname
  if (latencyMs > 0) await Bun.sleep(latencyMs)
  if (request.method === 'DELETE') {
    const isMade = path.includes('/ORD-')
    return new Response(isMade ? '{}' : null, { status: isMade ? 404 : 204 })
  }
  if (request.method === 'POST') await request.text()
  if (request.method === 'POST' && path.endsWith('/orders')) {
    const made = JSON.stringify({ id: crypto.randomUUID(), ...order })
    return new Response(made, { status: 201, headers: json })
  }
  return new Response(anything, { headers: json })
}

const server = Bun.serve({ hostname: '127.0.0.1', port: option('port', 0), fetch: answer })
process.stdout.write(`stub on ${server.port}\n`)
