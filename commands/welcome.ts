import sample from '#core/score/sample-trades.csv' with { type: 'text' }

/** The last day of the bundled trades and a wallet of theirs that gets a score. */
const sampleEndDate = '2025-09-30'
const sampleWallet = 'GiT17sgqU75hbRdnuPKMHWudgeqXo93vd95xkDn5qJtX'

/** Through the front door, like any service; swaps that are known are ignored. */
export async function ingestSample(url: string, token: string): Promise<void> {
  const answer = await fetch(new URL('/v1/trades', url), {
    method: 'POST',
    body: sample,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'text/csv' },
  })
  if (!answer.ok) throw new Error(`the sample was refused: ${answer.status} ${await answer.text()}`)
}

/** What a person needs next, each line complete in itself. */
export function welcome(options: {
  readonly url: string
  readonly token: string
  readonly data: string
  /** Where the audit log is published, and the file with its verifier keys. */
  readonly audit: { readonly store: string; readonly keys: string }
}): string {
  const { token, data, audit } = options
  const url = options.url.replace(/\/$/, '')
  const bearer = `-H 'Authorization: Bearer ${token}'`
  const payload = JSON.stringify({ payload: { endDate: sampleEndDate } })
  return `Postern is up at ${url}: gateway, workers and an embedded Postgres in one process.
State is kept in ${data} and survives a restart; start with --fresh to throw it away. Ctrl-C stops.

Development token, good for 24 hours:

${token}

Paste these. Score the bundled sample wallets and wait for the result:

curl -sS -w '\\n' '${url}/v1/jobs/score-cohort?wait=30' ${bearer} -H 'Content-Type: application/json' -d '${payload}'

One wallet's score, with its reasons and every intermediate:

curl -sS -w '\\n' '${url}/v1/wallets/${sampleWallet}/score' ${bearer}

The best of them:

curl -sS -w '\\n' '${url}/v1/scores?min=50&limit=5' ${bearer}

What happened is in the signed audit log; this verifies it without asking the server:

postern audit verify --log ${audit.store} --vkey ${audit.keys} --strict

The API: ${url}/docs to read and try, ${url}/openapi.json for programs
The console, which asks for the token: ${url}/internal/console
`
}
