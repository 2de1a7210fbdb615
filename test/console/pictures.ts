// Writes deploy/pictures/console-*.png: three views, light and dark, of a gateway at work.
import { join } from 'node:path'
import { z } from 'zod'
import { type ConsoleWorld, openConsoleWorld, show, unlock } from './console-world.ts'

const root = join(import.meta.dir, '..', '..')
const folder = join(root, 'deploy', 'pictures')
const prices = join(root, 'node_modules', 'vega-datasets', 'data', 'sp500-2000.csv')
const wallet = 'GiT17sgqU75hbRdnuPKMHWudgeqXo93vd95xkDn5qJtX'
/** One that is eligible, and not scored again by what goes on. */
const explained = '4BTmL5g6FwPThJ7YZ8DjzBXvex5ic6gS2fahezoG7U7L'
const viewport = { width: 1_200, height: 750 }
/** Enough looks for a line: the page asks every five seconds. */
const workMs = 75_000

const jobSchema = z.object({ jobId: z.string() })

/** Two years of prices, orders of every fate, a halt, and scores. */
async function trade({ call }: ConsoleWorld): Promise<void> {
  const [head = '', ...lines] = (await Bun.file(prices).text()).split('\n')
  const bars = lines.filter((line) => /^201[89]/.test(line))
  const stored = await call('POST', '/v1/market-data?symbol=SPX', [head, ...bars].join('\n'))
  const { jobId } = jobSchema.parse(await stored.json())
  await call('GET', `/v1/jobs/${jobId}?wait=60`)
  const order = (id: string, side: string, quantity: string, limit?: string) =>
    call('POST', '/v1/orders', {
      ...{ client_order_id: id, symbol: 'SPX', side, quantity },
      ...(limit === undefined
        ? { order_type: 'market' }
        : { order_type: 'limit', limit_price: limit, time_in_force: 'gtc' }),
    })
  await order('rebalance-1', 'buy', '10')
  await order('rebalance-2', 'buy', '5', '3070')
  await order('rebalance-3', 'buy', '1000')
  await order('exit-1', 'sell', '4')
  await order('exit-2', 'sell', '2', '3400')
  await call('POST', '/v1/jobs/score-cohort?wait=60', { payload: { endDate: '2025-09-30' } })
  await call('POST', '/internal/trading/halt', {
    ...{ scope: 'strategy', key: 'momentum', reason: 'prices look wrong since 14:02' },
  })
}

/** Jobs that come in bursts, so that the lines have something to tell. */
async function work({ call }: ConsoleWorld): Promise<void> {
  const end = performance.now() + workMs
  for (let round = 0; performance.now() < end; round++) {
    const tag = `evening/${round % 9}`
    const burst = Array.from({ length: 1 + ((round * 7) % 12) }, () =>
      call('POST', '/v1/jobs/score-wallet', { payload: { wallet }, tag }),
    )
    await Promise.all(burst)
    await Bun.sleep(1_500)
  }
}

const world = await openConsoleWorld()
await trade(world)
const token = await world.token('developer')
const schemes = ['light', 'dark'] as const
const pages = await Promise.all(
  schemes.map(async (colorScheme) => {
    const page = await world.open({ colorScheme, viewport, reducedMotion: 'reduce' })
    await unlock(page, token)
    return { colorScheme, page }
  }),
)
await work(world)
await world.call('POST', '/internal/queues/score-wallet/pause')
await Promise.all(
  Array.from({ length: 7 }, () =>
    world.call('POST', '/v1/jobs/score-wallet', { payload: { wallet }, tag: 'late' }),
  ),
)
for (const { colorScheme, page } of pages) {
  const shoot = (name: string) =>
    page.screenshot({ path: join(folder, `console-${name}-${colorScheme}.png`) })
  await page.keyboard.press('r')
  await page.getByText('1 queue paused').waitFor()
  await shoot('health')
  await show(page, `scores/${explained}`, explained)
  await shoot('score')
  await show(page, 'orders', 'Orders')
  await page.getByLabel('Open only').uncheck()
  await page.getByText('rebalance-1').waitFor()
  await shoot('orders')
}
await world.close()
const pictures = [...new Bun.Glob('console-*.png').scanSync({ cwd: folder })]
const command = [
  'pngquant',
  '--force',
  '--ext=.png',
  '--strip',
  '--speed=1',
  '256',
  '--',
  ...pictures,
]
if (Bun.which('pngquant') === null) console.log('pngquant is missing: they are thrice as large.')
else Bun.spawnSync(command, { cwd: folder })
process.exit(0)
