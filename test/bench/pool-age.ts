import { createRequire } from 'node:module'
import postgres from 'postgres'
import { startPostgres } from '#test/support/postgres-server.ts'

/**
 * What a query costs in a pool that is never all busy, by how many it has made: of `postgres` as it is
 * mended here (`ci/patches.mjs`), and as it is published (its CommonJS build, which nothing else
 * loads). Half a minute.
 *
 *   bun test/bench/pool-age.ts
 */
const rounds = 5
const queriesPerRound = 50_000
const connections = 8
const together = 4

const published: typeof postgres = createRequire(import.meta.url)(
  '../../node_modules/postgres/cjs/src/index.js',
)

const server = await startPostgres()
const sides = Object.entries({ mended: postgres, published }).map(([name, open]) => ({
  name,
  sql: open(server.url, { max: connections, fetch_types: false }),
}))
for (const { sql } of sides) {
  await Promise.all(Array.from({ length: connections }, () => sql`select pg_sleep(0.1)`))
}
for (let round = 0; round < rounds; round += 1) {
  for (const { name, sql } of sides) {
    const before = process.cpuUsage()
    for (let made = 0; made < queriesPerRound; made += together) {
      await Promise.all(Array.from({ length: together }, () => sql`select 1`))
    }
    const { user, system } = process.cpuUsage(before)
    const each = ((user + system) / queriesPerRound).toFixed(1)
    process.stdout.write(`${name}, after ${round * queriesPerRound}: ${each} µs of CPU a query\n`)
  }
}
await Promise.all(sides.map(({ sql }) => sql.end()))
await server.stop('immediate')
