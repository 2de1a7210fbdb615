import { type Score, scoreSchema } from './documents.ts'
import { Bar, Facts, Status, Time, Trend } from './marks.tsx'
import { Panel, Section } from './panel.tsx'
import { hrefOf } from './place.ts'
import { usePoll } from './poll.ts'
import { useSession } from './session.ts'
import { words } from './states.ts'

/** How a score came about: what counted for it, what against it, and everything it was made from. */
export function ScoreDetail({ wallet }: { readonly wallet: string }) {
  const session = useSession()
  const polled = usePoll(`score-${wallet}`, (signal) =>
    session.json({ path: `/v1/wallets/${wallet}/score`, signal }, scoreSchema),
  )
  return (
    <>
      <h1>
        <a class="up" href={hrefOf('scores')}>
          Scores
        </a>
        <code>{wallet}</code>
      </h1>
      <Panel title="Explanation" scope="scores:read" polled={polled}>
        {(score) => (
          <>
            <Sum score={score} />
            <Facts
              facts={[
                [
                  'Eligible',
                  <Status
                    key="status"
                    tone={score.status === 'eligible' ? 'ok' : 'warn'}
                    text={words(score.status)}
                  />,
                ],
                ['Scored', <Time key="scored" at={score.scoredAt} />],
                [
                  'By the job',
                  <a key="job" href={hrefOf('jobs', score.jobId)}>
                    {score.jobId.slice(-8)}
                  </a>,
                ],
                ['Algorithm', `${score.algorithmVersion}, ${score.costBasis}`],
                ['Window', `${score.windowDays} days until ${score.endDate}`],
                [
                  'Cohort',
                  score.cohort === null
                    ? 'none'
                    : `${score.cohort.size} of ${score.cohort.screened} screened`,
                ],
              ]}
            />
            <Reasons score={score} />
          </>
        )}
      </Panel>
      {polled.value === undefined ? null : <Made score={polled.value} />}
    </>
  )
}

const fixed = (value: string | number | null, digits = 2) =>
  value === null ? '–' : Number(value).toFixed(digits)
const percent = (value: number | null) => (value === null ? '–' : `${(value * 100).toFixed(1)} %`)
const shareOf = (value: string | null | undefined) => Number(value ?? 0)

/** Trust = 100 × (performance − risk), each from its place among the cohort. */
function Sum({ score }: { readonly score: Score }) {
  const { trustScore, performanceScore, riskPenalty, normalised } = score
  return (
    <div class="sum">
      {trustScore === null ? (
        <p class="figure">No score</p>
      ) : (
        <p class="figure">
          {fixed(trustScore)}
          <small> of 100</small>
        </p>
      )}
      <table>
        <caption>
          Performance less risk, times a hundred. Each share is the place between the lowest and the
          highest of the cohort.
        </caption>
        <tbody>
          <Share name="Sharpe ratio" share={normalised?.sharpe} tone="ok" />
          <Share name="Return" share={normalised?.roiPercent} tone="ok" />
          <Share name="Performance" share={performanceScore} tone="accent" isSum />
          <Share name="Drawdown" share={normalised?.drawdownPercent} tone="bad" />
          <Share name="Risk penalty" share={riskPenalty} tone="bad" isSum />
        </tbody>
      </table>
    </div>
  )
}

function Share({
  name,
  share,
  tone,
  isSum = false,
}: {
  readonly name: string
  readonly share: string | null | undefined
  readonly tone: string
  readonly isSum?: boolean
}) {
  return (
    <tr class={isSum ? 'total' : undefined}>
      <th scope="row">{name}</th>
      <td>
        <Bar share={shareOf(share)} tone={tone} />
      </td>
      <td class="number">{share === null || share === undefined ? '–' : fixed(share, 3)}</td>
    </tr>
  )
}

function Reasons({ score }: { readonly score: Score }) {
  const { reasons, dataQuality } = score
  if (reasons.length + dataQuality.length === 0) return null
  return (
    <ul class="reasons">
      {reasons.map(({ code, detail }) => (
        <li key={code}>
          <Status tone="warn" text={words(code)} /> <span class="dim">{detail}</span>
        </li>
      ))}
      {dataQuality.map((flag) => (
        <li key={flag}>
          <Status tone="idle" text={words(flag)} /> <span class="dim">quality of the data</span>
        </li>
      ))}
    </ul>
  )
}

function Made({ score }: { readonly score: Score }) {
  const { metrics, books, history, equity } = score
  const values = equity.map((day) => Number(day.equityUsd))
  return (
    <Section title="What it was made from">
      {values.length < 2 ? null : (
        <figure class="equity">
          <Trend values={values} />
          <figcaption class="dim">
            Equity by day, {equity[0]?.date} to {equity.at(-1)?.date}: {fixed(values[0] ?? 0)} to{' '}
            {fixed(values.at(-1) ?? 0)} USD
          </figcaption>
        </figure>
      )}
      <Facts
        facts={[
          ['Return', metrics.netRoiPercent === null ? '–' : `${fixed(metrics.netRoiPercent)} %`],
          ['Sharpe', fixed(metrics.sharpe)],
          ['Sortino', fixed(metrics.sortino)],
          ['Probability that Sharpe > 0', percent(metrics.psr)],
          ['The same, after so many wallets', percent(score.dsr)],
          ['Deepest drawdown', percent(metrics.maxDrawdown)],
          ['Volatility', percent(metrics.volatility)],
          ['Round trips won', percent(metrics.winRate)],
          ['Profit factor', fixed(metrics.profitFactor)],
          [
            'Longest recovery',
            metrics.recoveryDaysMax === null ? 'not recovered' : `${metrics.recoveryDaysMax} days`,
          ],
          ['Trades', `${history.tradesInWindow} of ${history.trades} in the window`],
          ['Realised', `${fixed(books.realisedUsd)} USD`],
          ['Unrealised', `${fixed(books.unrealisedUsd)} USD`],
          ['Fees', `${fixed(books.feesUsd)} USD`],
          ['Capital', `${fixed(books.capitalUsd)} USD`],
        ]}
      />
    </Section>
  )
}
