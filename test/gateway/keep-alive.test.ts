import { expect, test } from 'bun:test'
import { connect } from 'node:net'
import { silentLog } from '#core/log.ts'
import { listen } from '#gateway/listen.ts'
import { memoryGateway } from './memory-gateway.ts'

const get = 'GET /v1/kinds HTTP/1.1\r\nHost: gateway.example\r\nAuthorization: Bearer all\r\n\r\n'
const stalled = get
  .replace('GET /v1/kinds', 'POST /v1/jobs/score-wallet')
  .replace('\r\n\r\n', '\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{')

/**
 * A connection that sends a text, another one 2 s later, and a drop each second; whether it is open, and its
 * answers.
 */
function converse(port: number, first: string, second = '', drop = '') {
  const talk: { isOpen: boolean; statuses: string[] } = { isOpen: true, statuses: [] }
  const socket = connect({ host: '127.0.0.1', port }, () => socket.write(first))
  socket.on('data', (bytes) => {
    talk.statuses.push(...(String(bytes).match(/(?<=HTTP\/1\.1 )\d+/g) ?? []))
  })
  socket.on('close', () => {
    talk.isOpen = false
  })
  setTimeout(() => socket.write(second), 2_000)
  const dripping = setInterval(() => drop !== '' && socket.write(drop), 1_000)
  socket.on('close', () => clearInterval(dripping))
  return { talk, end: () => socket.destroy() }
}

test('a connection that was answered is kept longer than the 15 s that a request may stand still or drip', async () => {
  const { gateway } = memoryGateway()
  const listener = listen({ gateway, address: '127.0.0.1', port: 0, log: silentLog() })
  const port = Number(new URL(listener.url).port)
  const kept = converse(port, get)
  const others = [
    converse(port, ''),
    converse(port, get, stalled),
    converse(port, get.slice(0, -2), '', 'X-Slow: 1\r\n'),
    converse(port, stalled.replace('10', '1000'), '', 'x'),
  ]
  try {
    await Bun.sleep(21_000)
    expect([kept, ...others].map(({ talk }) => talk)).toEqual([
      { isOpen: true, statuses: ['200'] },
      { isOpen: false, statuses: [] },
      { isOpen: false, statuses: ['200'] },
      { isOpen: false, statuses: [] },
      { isOpen: false, statuses: [] },
    ])
  } finally {
    for (const { end } of [kept, ...others]) end()
    await listener.stop(100)
  }
}, 60_000)
