import { expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { exceptionsCsv, failuresCsv, historyCsv, statsCsv, statsJson } from './locust-csv.ts'
import { newRecord } from './record.ts'

const startMs = 1_795_898_091_500

/** Written by Locust 2.47.0 in five seconds. */
const theirs = (name: string) =>
  readFileSync(join(import.meta.dir, '../fixtures', `locust_${name}.csv`), 'utf8')

function record() {
  const made = newRecord()
  for (let index = 0; index < 100; index += 1) {
    const atMs = startMs + index * 40
    const isFailed = index % 10 === 0
    made.add({
      ...{ atMs, ms: index === 99 ? 498.5 : 20.25, method: 'GET', name: '/positions' },
      ...{ status: isFailed ? 500 : 200, isFailed },
    })
    made.addBytes('GET', '/positions', atMs, 58)
    made.addUsers(atMs, 8)
  }
  made.add({
    ...{ atMs: startMs + 900, ms: 498, method: 'POST', name: '/orders [POST]' },
    ...{ status: 201, isFailed: false },
  })
  return made
}

const rows = (csv: string) => csv.split('\r\n').filter((row) => row !== '')
const first = (csv: string) => csv.slice(0, csv.indexOf('\n') + 1)

/** Each cell as the kind of value that it is. */
const kinds = (row: string | undefined) =>
  (row ?? '').split(',').map((cell) => {
    if (/^-?\d+$/.test(cell)) return 'whole'
    if (/^-?\d+\.\d{6}$/.test(cell)) return 'six decimals'
    return /^-?\d+\.\d+$/.test(cell) ? 'decimal' : 'text'
  })

test.each([
  ['stats', statsCsv(record(), startMs)],
  ['stats_history', historyCsv(record(), startMs, false)],
  ['failures', failuresCsv(record())],
  ['exceptions', exceptionsCsv(1)],
])('the heading of %s is Locust’s, byte for byte', (name, ours) => {
  expect(first(ours)).toBe(first(theirs(name)))
})

test('a row of statistics has the kinds of Locust’s', () => {
  const [, ours] = rows(statsCsv(record(), startMs))
  const [, its] = rows(theirs('stats'))
  // Their median is one of the times themselves where there are so few.
  const withoutMedian = (row: string | undefined) => kinds(row).toSpliced(4, 1)
  const counts = kinds('GET,/x,1,1')
  expect(withoutMedian(ours)).toEqual(withoutMedian(its))
  expect(kinds(ours).slice(0, 4)).toEqual(counts)
})

test('statistics are those of the samples, and the last row is of all', () => {
  const [, orders, positions, all] = rows(statsCsv(record(), startMs))
  expect(orders).toStartWith(
    'POST,/orders [POST],1,0,498.0,498.0,498.0,498.0,0.0,'.replace('498.0,498.0', '498,498.0'),
  )
  expect(orders).toEndWith(',500,500,500,500,500,500,500,500,500,500,500')
  expect(positions).toStartWith('GET,/positions,100,10,20.25,25.0325,20.25,498.5,58.0,')
  expect(positions).toEndWith(',20,20,20,20,20,20,20,500,500,500,500')
  expect(all).toStartWith(',Aggregated,101,10,')
})

test('the history begins with nothing, counts up each second, and tells all with it', () => {
  const ours = rows(historyCsv(record(), startMs, false))
  const second = Math.floor(startMs / 1_000)
  expect(ours[1]).toBe(
    `${second},8,,Aggregated,0.000000,0.000000,${Array(11).fill('N/A').join(',')},0,0,0,0.0,0,0,0`,
  )
  expect(ours[1]?.replace(/^\d+,\d+/, '')).toBe(
    rows(theirs('stats_history'))[1]?.replace(/^\d+,\d+/, ''),
  )
  expect(ours.at(-1)).toMatch(new RegExp(`^${second + 5},8,,Aggregated,`))
  expect(ours.at(-1)?.split(',').slice(17, 19)).toEqual(['101', '10'])
})

test('the full history has a row for each name that was asked for by then', () => {
  const ours = rows(historyCsv(record(), startMs, true))
  const names = ours.filter((row) => row.startsWith(String(Math.floor(startMs / 1_000) + 2)))
  expect(names.map((row) => row.split(',')[3])).toEqual([
    '/orders [POST]',
    '/positions',
    'Aggregated',
  ])
})

test('failures are told as Locust tells those that a task declares', () => {
  const [, ours] = rows(failuresCsv(record()))
  const [, its] = rows(theirs('failures'))
  expect(ours).toMatch(/^GET,\/positions,CatchResponseError\('Status: 500'\),10,2026-/)
  expect(ours?.replace(/\d+/g, '#')).toBe(
    its?.replace('POST,/orders [POST HFT]', 'GET,/positions').replace(/\d+/g, '#'),
  )
})

test('a run without exceptions has a heading and no row', () => {
  expect(rows(exceptionsCsv(0))).toHaveLength(1)
  expect(theirs('exceptions')).toEndWith('\n",local\r\n'.replace('\r\n', '\r\n'))
})

test('the JSON is per name and complete', () => {
  const told: unknown = JSON.parse(statsJson(record(), startMs))
  expect(told).toMatchObject([
    { name: '/orders [POST]', num_requests: 1 },
    { name: '/positions', num_requests: 100, num_failures: 10, response_times: { 20: 99, 500: 1 } },
  ])
})
