import { escapeMarkup } from '#core/replay/escape-markup.ts'
import { chartStyle, pageStyle, palette } from '#core/replay/report-style.ts'
import type { Verdict } from '../verdicts.ts'
import { type Chart, chartSvg } from './chart.ts'

export type Table = {
  readonly title: string
  readonly columns: readonly string[]
  readonly rows: readonly (readonly (string | number)[])[]
}

export type Page = {
  readonly title: string
  readonly summary: string
  readonly facts: Readonly<Record<string, string>>
  readonly verdicts: readonly Verdict[]
  readonly charts: readonly Chart[]
  readonly tables: readonly Table[]
}

const tableStyle = `
table{border-collapse:collapse;width:100%;font-size:13px;font-variant-numeric:tabular-nums}
.scroll{overflow-x:auto;background:var(--panel);border:1px solid var(--line);border-radius:10px;padding:4px 10px}
th,td{padding:6px 8px;border-bottom:1px solid var(--line);text-align:right;white-space:nowrap}
th{color:var(--soft);font-weight:600}
th:first-child,td:first-child,.text{text-align:left}
tr:last-child td{border-bottom:0}
figure+figure{margin-top:14px}
td.met{color:var(--buy)}td.missed,td.void{color:var(--loss);font-weight:650}
`

/** One file that opens offline, in the reader's light or dark. */
export function pageHtml(page: Page): string {
  const { title, summary, facts, verdicts, charts, tables } = page
  const known = Object.entries(facts).map(
    ([name, value]) => `<li>${escapeMarkup(name)} <b>${escapeMarkup(value)}</b></li>`,
  )
  const figures = charts.map((chart) => `<figure>${chartSvg(chart)}</figure>`)
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>${escapeMarkup(title)}</title><style>${palette}${chartStyle}${pageStyle}${tableStyle}</style></head>
<body><main><h1>${escapeMarkup(title)}</h1><p class="summary">${escapeMarkup(summary)}</p>
<ul class="facts">${known.join('')}</ul>
${verdicts.length === 0 ? '' : verdictTable(verdicts)}
${charts.length === 0 ? '' : `<h2>Over the run</h2>${figures.join('\n')}`}
${tables.map(tableHtml).join('\n')}
</main></body></html>
`
}

function verdictTable(verdicts: readonly Verdict[]): string {
  const rows = verdicts.map(
    ({ name, seen, required, fate }) =>
      `<tr><td>${escapeMarkup(name)}</td><td class="text">${escapeMarkup(seen)}</td><td class="text">${escapeMarkup(required)}</td><td class="${fate}">${fate}</td></tr>`,
  )
  return `<h2>Verdicts</h2><div class="scroll"><table><tr><th>What</th><th class="text">Seen</th><th class="text">Required</th><th></th></tr>${rows.join('')}</table></div>`
}

function tableHtml({ title, columns, rows }: Table): string {
  if (rows.length === 0) return ''
  const head = columns.map((column) => `<th>${escapeMarkup(column)}</th>`).join('')
  const body = rows.map(
    (row) => `<tr>${row.map((cell) => `<td>${escapeMarkup(String(cell))}</td>`).join('')}</tr>`,
  )
  return `<h2>${escapeMarkup(title)}</h2><div class="scroll"><table><tr>${head}</tr>${body.join('\n')}</table></div>`
}
