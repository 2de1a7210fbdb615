import { expect, test } from 'bun:test'
import { guardedVenue } from '#core/order/venue/guarded-venue.ts'
import { connectPostgres } from '#core/postgres/connect.ts'
import { freePort } from '#test/support/server-process.ts'
import { orderTerms, testAccount } from './order-terms.ts'
import { paperWorld } from './paper-world.ts'

const waiting = new AbortController().signal

test('a database that is away keeps no orders back when it is there again', async () => {
  const world = await paperWorld()
  const url = `postgres://postern@127.0.0.1:${await freePort()}/none`
  const away = connectPostgres({ url, mode: 'development', applicationName: 'away', max: 1 })
  const changes: unknown[] = []
  const venue = guardedVenue(world.open({ grouped: away }), {
    now: () => Date.now(),
    onChange: (change) => void changes.push(change),
  })
  for (let attempt = 0; attempt < 4; attempt += 1) {
    expect(await venue.submit(orderTerms(), waiting)).toMatchObject({ kind: 'unknown' })
  }
  expect(changes).toEqual([])
  await venue.confirm(testAccount)
  await away.end({ timeout: 1 })
  await world.close()
})
