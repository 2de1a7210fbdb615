// Scores a wallet and waits for the result: score-wallet.ts <wallet> [<last day>]
import { createPosternClient, PosternProblem } from 'postern/client'

const { POSTERN_URL = 'http://127.0.0.1:8080', POSTERN_TOKEN = '' } = process.env
const [wallet = '', endDate = '2025-09-30'] = process.argv.slice(2)
const postern = createPosternClient({ baseUrl: POSTERN_URL, token: POSTERN_TOKEN })

try {
  const accepted = await postern.call('enqueue-score-wallet', {
    body: { payload: { wallet, endDate } },
  })
  const job = await postern.waitFor(accepted.id)
  if (job.state === 'completed') {
    const score = await postern.call('get-wallet-score', { params: { address: wallet } })
    console.log(`${wallet} ${score.status} ${score.trustScore ?? 'no score'}`)
  } else {
    console.log(`${wallet} ${job.state}: ${job.problem?.title}`)
  }
} catch (error) {
  if (!(error instanceof PosternProblem)) throw error
  console.error(error.message)
  for (const { pointer, detail } of error.errors) console.error(`  ${pointer} ${detail}`)
  process.exitCode = 1
}
