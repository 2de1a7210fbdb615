import { useState } from 'preact/hooks'
import { rankingSchema } from './documents.ts'
import { Bar, Time } from './marks.tsx'
import { Empty, Panel, Table } from './panel.tsx'
import { goTo, hrefOf } from './place.ts'
import { usePoll } from './poll.ts'
import { ScoreDetail } from './score-detail.tsx'
import { useSession } from './session.ts'

/** Base58 of 32 bytes. */
const address = /^[1-9A-HJ-NP-Za-km-z]{32,44}$/
const pageScores = 50

export function ScoresView({ rest }: { readonly rest: string }) {
  if (address.test(rest)) return <ScoreDetail key={rest} wallet={rest} />
  return <Leaderboard />
}

function Leaderboard() {
  const session = useSession()
  const [cursors, setCursors] = useState<readonly string[]>([])
  const cursor = cursors.at(-1)
  const query = new URLSearchParams({
    limit: String(pageScores),
    ...(cursor === undefined ? {} : { cursor }),
  })
  const path = `/v1/scores?${query}`
  const polled = usePoll(path, (signal) => session.json({ path, signal }, rankingSchema))
  const first = cursors.length * pageScores
  return (
    <>
      <h1>Scores</h1>
      <FindWallet />
      <Panel
        title="Leaderboard"
        scope="scores:read"
        polled={polled}
        note="Trust scores, best first"
      >
        {({ scores, next }) => (
          <>
            {scores.length === 0 ? (
              <Empty>Nobody is scored yet; enqueue score-cohort.</Empty>
            ) : (
              <Table
                label="Wallets, best first"
                rows={scores.map((score, at) => ({ ...score, rank: first + at + 1 }))}
                keyOf={({ wallet }) => wallet}
                columns={[
                  { head: 'Rank', isNumber: true, cell: ({ rank }) => rank },
                  {
                    head: 'Wallet',
                    cell: ({ wallet }) => (
                      <a href={hrefOf('scores', wallet)}>
                        <code>{wallet}</code>
                      </a>
                    ),
                  },
                  {
                    head: 'Trust score',
                    cell: ({ trustScore }) => (
                      <span class="measured">
                        <span class="number">{Number(trustScore).toFixed(2)}</span>
                        <Bar share={Number(trustScore) / 100} />
                      </span>
                    ),
                  },
                  {
                    head: 'Cohort',
                    isNumber: true,
                    isWideOnly: true,
                    cell: ({ cohortSize }) => cohortSize,
                  },
                  { head: 'Until', isWideOnly: true, cell: ({ endDate }) => endDate },
                  {
                    head: 'Scored',
                    isWideOnly: true,
                    cell: ({ scoredAt }) => <Time at={scoredAt} />,
                  },
                ]}
              />
            )}
            <nav class="pages" aria-label="Pages">
              <button
                type="button"
                disabled={cursors.length === 0}
                onClick={() => setCursors(cursors.slice(0, -1))}
              >
                Better
              </button>
              <button
                type="button"
                disabled={next === undefined}
                onClick={() => next !== undefined && setCursors([...cursors, next])}
              >
                Further down
              </button>
            </nav>
          </>
        )}
      </Panel>
    </>
  )
}

function FindWallet() {
  const [sought, setSought] = useState('')
  const [problem, setProblem] = useState('')
  function submit(event: Event): void {
    event.preventDefault()
    const wallet = sought.trim()
    if (address.test(wallet)) goTo('scores', wallet)
    else setProblem('That is no address of a wallet.')
  }
  return (
    <form class="filters" onSubmit={submit} aria-label="Find a wallet">
      <input
        type="search"
        aria-label="Wallet"
        placeholder="Address of a wallet"
        value={sought}
        maxLength={44}
        onInput={(event) => setSought(event.currentTarget.value)}
      />
      <button type="submit">Explain</button>
      <span role="status" class="dim">
        {problem}
      </span>
    </form>
  )
}
