import { expect, test } from 'bun:test'
import { newRecord } from '../measure/record.ts'
import { loadCharts, loadTables } from './load-report.ts'
import { pageHtml } from './page.ts'

function page(): string {
  const record = newRecord()
  const startMs = 1_795_898_091_000
  for (let index = 0; index < 300; index += 1) {
    record.add({
      ...{ atMs: startMs + index * 10, ms: 494.6, method: 'GET', name: '/<b>"x"' },
      ...{ status: index === 0 ? 500 : 200, isFailed: index === 0 },
    })
  }
  const run = { record, startMs, endMs: startMs + 3_000 }
  return pageHtml({
    ...{ title: 'Load', summary: 'a & b', facts: { users: '<1>' } },
    verdicts: [{ name: 'p99', seen: '494.6 ms', required: 'below 500 ms', fate: 'missed' }],
    ...{ charts: loadCharts(run), tables: loadTables(run) },
  })
}

test('the page needs nothing from anywhere, and runs nothing', () => {
  expect(page()).not.toMatch(/<script|<link|\bsrc=|\bhref=|url\(|@import|https?:/)
})

test('it has the colours of the reader’s light or dark', () => {
  expect(page()).toContain('prefers-color-scheme:dark')
})

test('what came from elsewhere is text and no markup', () => {
  expect(page()).not.toContain('<b>"x"')
  expect(page()).toContain('&lt;b&gt;&quot;x&quot;')
})

test('exact percentiles stand beside rounded ones', () => {
  expect(page()).toContain('<td>490</td>')
  expect(page()).toContain('<td>494.6</td>')
})
