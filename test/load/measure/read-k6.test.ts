import { expect, test } from 'bun:test'
import { readK6, readLines } from './read-k6.ts'
import { newRecord, sortedEntries, totalOf } from './record.ts'

const at = 1_795_895_864_814
const line = (metric: string, value: string, cells: Readonly<Record<number, string>> = {}) =>
  Array.from({ length: 19 }, (_, index) => {
    const known: Readonly<Record<number, string>> = { 0: metric, 1: String(at), 2: value }
    return cells[index] ?? known[index] ?? ''
  }).join(',')

const text = [
  'metric_name,timestamp,metric_value,check,error,error_code,expected_response,group,method,name,proto,scenario,service,status,subproto,tls_version,url,extra_tags,metadata',
  line('http_req_duration', '20.5', { 6: 'true', 8: 'GET', 9: '/positions', 13: '200' }),
  line('http_req_waiting', '19.5', { 6: 'true', 8: 'GET', 9: '/positions', 13: '200' }),
  line('content_bytes', '58', { 8: 'GET', 9: '/positions' }),
  line('http_req_duration', '3.25', { 6: 'false', 8: 'POST', 9: '/orders [POST]', 13: '429' }),
  line('http_req_duration', '0.5', {
    ...{ 4: '"dial: ""refused"", at once"', 5: '1212' },
    ...{ 6: 'false', 8: 'POST', 9: '/orders [POST]', 13: '0' },
  }),
  line('vus', '70'),
  '',
].join('\n')

test('of thirteen lines for a request one counts, with its bytes', () => {
  const record = newRecord()
  readLines(text, record)
  const [orders, positions] = sortedEntries(record)
  expect(positions).toMatchObject({
    method: 'GET',
    name: '/positions',
    count: 1,
    failures: 0,
    bytes: 58,
  })
  expect(orders).toMatchObject({ count: 2, failures: 2, minMs: 0.5, maxMs: 3.25 })
  expect([...(orders?.failed ?? [])].map(([status, { count }]) => [status, count])).toEqual([
    [429, 1],
    [0, 1],
  ])
  expect(record.users.get(Math.floor(at / 1_000))).toBe(70)
})

test('lines that are torn between two chunks are whole again', async () => {
  async function* torn() {
    const bytes = new TextEncoder().encode(text)
    for (let from = 0; from < bytes.length; from += 7) yield bytes.subarray(from, from + 7)
  }
  const record = newRecord()
  await readK6(torn(), record)
  expect(totalOf(record)).toMatchObject({ count: 3, failures: 2 })
})
