import { describe, expect, test } from 'bun:test'
import { moneyOf } from '#core/order/amount.ts'
import { niceScale, numberText } from '#core/replay/chart-scale.ts'
import { clockText, dayText, timeTicks } from '#core/replay/chart-time.ts'
import { escapeMarkup } from '#core/replay/escape-markup.ts'
import { replayResultSchema } from '#core/replay/replay-result.ts'
import { reportHtml, reportStyle } from '#core/replay/report-html.ts'
import { reportSvg } from '#core/replay/report-svg.ts'
import { scenarioNames } from '#core/replay/scenario.ts'
import { runRegime } from './replay-world.ts'

const hostile = `</title><script>alert("x")</script>'&\u0000`

describe('a report', () => {
  test('shows what it was given as text, never as markup', async () => {
    const { result } = await runRegime({ scenario: 'flash-crash', seed: 7 })
    const told = { ...result, title: hostile, summary: hostile, symbol: hostile }
    const named = { ...told, manifest: { ...told.manifest, model: hostile, sha256: hostile } }
    for (const text of [reportHtml(named), reportSvg(named)]) {
      expect(text).not.toContain('<script')
      expect(text).not.toContain('\u0000')
      expect(text).toContain('&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;&#39;&amp;')
    }
  })

  test.each(scenarioNames)(
    '%s: asks nothing of any other file, and is well-formed',
    async (scenario) => {
      const { result } = await runRegime({ scenario, strategy: 'momentum', seed: 5 })
      const html = reportHtml(result)
      const svg = reportSvg(result)
      for (const text of [html, svg]) {
        const outside = text.replace('xmlns="http://www.w3.org/2000/svg"', '')
        expect(outside).not.toMatch(/https?:|src=|href=|@import|url\(|<script|\son\w+=|style=/)
        expect(text).not.toMatch(/NaN|undefined|Infinity/)
        expect(unclosedIn(text)).toEqual([])
      }
    },
  )

  test.each([1, 2, 3])('of %i bars has something to show', async (bars) => {
    const { result } = await runRegime({ scenario: 'calm', seed: 1, bars })
    expect(reportHtml(result)).not.toMatch(/NaN|undefined|Infinity/)
  })

  test('fits into a job’s result, however long the run', async () => {
    const { result } = await runRegime({
      scenario: 'volatility',
      strategy: 'momentum',
      seed: 2,
      bars: 300_000,
    })
    expect(JSON.stringify(result).length).toBeLessThan(200 * 1_024)
    expect(replayResultSchema.parse(JSON.parse(JSON.stringify(result)))).toEqual(result)
  })

  test.each([
    ['a stock', { scenario: 'gap-down', seed: 7 }],
    ['an index that stays away from them', { scenario: 'calm', seed: 7 }],
    ['more days than can be told apart', { scenario: 'volatility', seed: 7, bars: 390 * 11 }],
  ] as const)('draws no level of the breaker for %s', async (_name, options) => {
    const { result } = await runRegime(options)
    expect(reportSvg(result)).not.toContain('class="level')
  })

  test('draws each level of the day at 7, 13 and 20 % below the close before', async () => {
    const { result } = await runRegime({ scenario: 'flash-crash', seed: 7 })
    expect(result.breakerLevels).toEqual([
      {
        ...{ from: '2024-03-04T14:30:00.000Z', until: '2024-03-04T21:00:00.000Z' },
        levels: [
          ...[
            { percent: 7, index: 93 },
            { percent: 13, index: 87 },
            { percent: 20, index: 80 },
          ],
        ],
      },
    ])
    const svg = reportSvg(result)
    const heights = (pattern: RegExp) => [...svg.matchAll(pattern)].map(([, y]) => Number(y))
    const [seven = 0, thirteen = 0, twenty = 0] = heights(/class="level" d="M\d+ ([\d.]+)H/g)
    const names = [...svg.matchAll(/class="level-name"[^>]*>([^<]*)/g)].map(([, name]) => name)
    expect(names).toEqual(['\u22127 %', '\u221213 %', '\u221220 %'])
    // On the scale of the price: 93 to 87 is 6 of the 13 from 93 to 80.
    expect((thirteen - seven) / (twenty - seven)).toBeCloseTo(6 / 13, 2)
    const marked = heights(/<text x="72" y="([\d.]+)" dy="4" text-anchor="end">80<\/text>/g)
    expect(marked).toEqual([twenty])
  })

  test('of a second day draws the levels of that day', async () => {
    const { result, bars } = await runRegime({ scenario: 'breaker-1', seed: 7, bars: 780 })
    const close = (bars[389]?.close ?? 0) / 1e9
    expect(result.breakerLevels[1]?.levels[0]?.index).toBeCloseTo(0.93 * close, 1)
  })

  test('has a shade and a name for each halt, and the seed', async () => {
    const { result } = await runRegime({ scenario: 'breaker-3', seed: 7 })
    const svg = reportSvg(result)
    expect([...svg.matchAll(/class="halt-name"[^>]*>(L[123])/g)].map(([, kind]) => kind)).toEqual([
      'L1',
      'L2',
      'L3',
    ])
    expect(svg.match(/class="halt"/g)).toHaveLength(3 * 4)
    expect(reportHtml(result)).toContain('Seed <b>7</b>')
  })

  test('has one style, whose hash a policy can name', async () => {
    const { result } = await runRegime({ scenario: 'calm', seed: 1 })
    const styles = [...reportHtml(result).matchAll(/<style>([\s\S]*?)<\/style>/g)].map(
      ([, style]) => style,
    )
    expect(styles).toEqual([reportStyle])
  })
})

/** Names of elements that are opened and not closed, or the other way round. */
function unclosedIn(markup: string): string[] {
  const empty = new Set(['meta', '!doctype'])
  const open: string[] = []
  for (const [, slash, name = '', self] of markup.matchAll(
    /<(\/?)([!a-z0-9]+)(?:\s[^<>]*?)?(\/?)>/gi,
  )) {
    if (self === '/' || empty.has(name)) continue
    if (slash === '') open.push(name)
    else if (open.pop() !== name) return [...open, `/${name}`]
  }
  return open
}

test('characters that XML cannot hold are left out, and others stay', () => {
  expect(escapeMarkup('a\u0001b\ufffe\ud800c é 😀')).toBe('abc é 😀')
})

test.each([
  [0, 100, 5, [0, 20, 40, 60, 80, 100]],
  [-10.7, 0, 3, [-15, -10, -5, 0]],
  [99.2, 101.1, 5, [99, 99.5, 100, 100.5, 101, 101.5]],
  [100, 100, 4, [100, 100.25]],
] as const)('a scale from %d to %d holds it in round steps', (low, high, count, ticks) => {
  const scale = niceScale(low, high, count)
  expect(scale.ticks.map((tick) => Number(tick.toFixed(6)))).toEqual([...ticks])
  expect(scale.low).toBeLessThanOrEqual(low)
  expect(scale.high).toBeGreaterThanOrEqual(high)
})

test('numbers have a minus sign, thin spaces between thousands, and no negative nothing', () => {
  expect(numberText(-1234567.891, 2)).toBe('\u22121\u2009234\u2009567.89')
  expect(numberText(-0.001, 2)).toBe('0.00')
  expect(numberText(999, 0)).toBe('999')
})

describe('the axis of time is the exchange’s', () => {
  test('on both sides of the change to daylight time', () => {
    expect(clockText(Date.parse('2024-03-08T15:00:00Z'))).toBe('10:00')
    expect(clockText(Date.parse('2024-03-11T14:00:00Z'))).toBe('10:00')
    expect(dayText(Date.parse('2024-03-11T14:00:00Z'))).toBe('11 Mar 2024')
  })

  test.each([1, 2, 5, 30, 250, 2_500])(
    '%i sessions have between 3 and 14 ticks',
    async (sessions) => {
      const bars = sessions * 13
      const { result } = await runRegime({
        scenario: 'calm',
        seed: 1,
        bars: bars * 30,
        firstDay: '2015-01-02',
      })
      const ticks = timeTicks(result.chart.from)
      expect(ticks.length).toBeGreaterThanOrEqual(3)
      expect(ticks.length).toBeLessThanOrEqual(14)
      const labels = ticks.map(({ label }) => label)
      expect(new Set(labels).size).toBeGreaterThan(labels.length / 3)
    },
  )

  test('a tick that begins a day names it', () => {
    const times = [...Array(13).keys()].flatMap((half) =>
      [4, 5].map((day) => Date.parse(`2024-03-0${day}T14:30:00Z`) + (half + 1) * 1_800_000),
    )
    const strong = timeTicks(times.toSorted()).filter(({ isStrong }) => isStrong)
    expect(strong.map(({ label }) => label)).toEqual(['5 Mar'])
  })
})

test('figures of the account are exact decimals', async () => {
  const { result } = await runRegime({ scenario: 'flash-crash', strategy: 'momentum', seed: 7 })
  const { account } = result
  const total = moneyOf(account.realised) + moneyOf(account.unrealised) - moneyOf(account.fees)
  expect(moneyOf(account.equity) - moneyOf(account.cashStart)).toBe(total)
})
