import { expect, test } from 'bun:test'
import { orderOfClient } from '#core/order/desk/read-rows.ts'
import { openDeskWorld } from './desk-world.ts'
import { fileWorld } from './file-world.ts'

const world = await fileWorld(openDeskWorld)

test.each([
  ['never counted', 0],
  ['counted with one order in it', 1],
  ['counted with ten orders in it', 10],
])('in a table %s an order is looked up by its client order id alone', async (_, counted) => {
  const { sql } = world.workerDesk
  for (let index = 0; index < counted; index += 1) await world.place()
  if (counted > 0) await world.sql`analyze postern_order`
  const [row] = await sql<{ 'QUERY PLAN': unknown }[]>`
    explain (format json) select o.id from unnest(array['desk-1'], array['x']) as w(account, client_id)
    cross join lateral (select id from ${orderOfClient(sql)}) as o`
  const plan = JSON.stringify(row?.['QUERY PLAN'])
  expect([...plan.matchAll(/"Index Name":"(\w+)"/g)].map(([, name]) => name)).toEqual([
    'postern_order_client',
  ])
  expect(plan).not.toContain('Seq Scan')
})
