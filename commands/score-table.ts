import type { WalletScore } from '#core/score/wallet-score.ts'

type Column = {
  readonly title: string
  readonly isRight: boolean
  readonly cell: (score: WalletScore) => string
}

const columns: readonly Column[] = [
  { title: 'WALLET', isRight: false, cell: ({ wallet }) => wallet },
  { title: 'SCORE', isRight: true, cell: ({ trustScore }) => decimal(trustScore) },
  { title: 'SCALED', isRight: true, cell: ({ trustScoreScaled }) => decimal(trustScoreScaled) },
  { title: 'STATUS', isRight: false, cell: ({ status }) => status },
  { title: 'TRADES', isRight: true, cell: ({ history }) => `${history.trades}` },
  { title: 'SHARPE', isRight: true, cell: ({ metrics }) => fixed(metrics.sharpe) },
  { title: '±SE', isRight: true, cell: ({ metrics }) => fixed(metrics.sharpeSe) },
  { title: 'ROI %', isRight: true, cell: ({ metrics }) => decimal(metrics.netRoiPercent) },
  { title: 'MDD %', isRight: true, cell: ({ metrics }) => fixed(percent(metrics.maxDrawdown)) },
  { title: 'WIN %', isRight: true, cell: ({ metrics }) => fixed(percent(metrics.winRate)) },
  { title: 'PSR', isRight: true, cell: ({ metrics }) => fixed(metrics.psr) },
  { title: 'DSR', isRight: true, cell: ({ dsr }) => fixed(dsr) },
]

const bold = '\u001b[1m'
const dim = '\u001b[2m'
const green = '\u001b[32m'
const yellow = '\u001b[33m'
const reset = '\u001b[0m'

/** One line per wallet, its reasons below it; the cohort and the rules at the end. */
export function scoreTable(scores: readonly WalletScore[], isColoured: boolean): string {
  const paint = (colour: string, text: string) => (isColoured ? `${colour}${text}${reset}` : text)
  const rows = scores.map((score) => columns.map((column) => column.cell(score)))
  const widths = columns.map((column, index) =>
    Math.max(column.title.length, ...rows.map((row) => row[index]?.length ?? 0)),
  )
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, index) => {
        const width = widths[index] ?? 0
        return columns[index]?.isRight === true ? cell.padStart(width) : cell.padEnd(width)
      })
      .join('  ')
      .trimEnd()
  const lines = [paint(bold, line(columns.map((column) => column.title)))]
  for (const [index, score] of scores.entries()) {
    const colour = score.trustScore === null ? yellow : green
    lines.push(paint(colour, line(rows[index] ?? [])))
    for (const { code, detail } of score.reasons) lines.push(paint(dim, `  ${code}: ${detail}`))
  }
  return `${[...lines, '', ...footer(scores)].join('\n')}\n`
}

function footer(scores: readonly WalletScore[]): string[] {
  const [first] = scores
  if (first === undefined) return ['No swaps.']
  const { algorithmVersion, costBasis, endDate, windowDays, cohort } = first
  const bounds = cohort?.bounds
  const lines = [
    `${scores.length} wallets, ${cohort?.size ?? 0} eligible; ${algorithmVersion}, ${costBasis}, ${windowDays} days to ${endDate}`,
  ]
  if (bounds) {
    const range = ({ min, max }: { min: string; max: string }) =>
      `${decimal(min)} to ${decimal(max)}`
    lines.push(
      `cohort bounds: Sharpe ${range(bounds.sharpe)}, ROI % ${range(bounds.roiPercent)}, drawdown % ${range(bounds.drawdownPercent)}`,
    )
  }
  return lines
}

const none = '-'

function fixed(value: number | null): string {
  return value === null ? none : value.toFixed(2)
}

function percent(value: number | null): number | null {
  return value === null ? null : value * 100
}

/** For the eye: two places. The exact text is in the JSON. */
function decimal(text: string | null): string {
  return text === null ? none : Number(text).toFixed(2)
}
