import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { Redis } from 'ioredis'
import type { Sql } from 'postgres'

/** What anybody on the host sees of the supervisor and its children. */
export async function processTexts(pid: number): Promise<string> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '')
  const pids = [String(pid), ...children.trim().split(' ')]
  const files = pids.flatMap((one) => [`/proc/${one}/environ`, `/proc/${one}/cmdline`])
  const texts = await Promise.all(files.map((file) => readFile(file, 'latin1').catch(() => '')))
  return texts.join('\n')
}

export async function databaseText(sql: Sql): Promise<string> {
  const tables = await sql<{ name: string }[]>`
    select format('%I.%I', table_schema, table_name) as name from information_schema.tables
    where table_schema not in ('pg_catalog', 'information_schema') and table_type = 'BASE TABLE'`
  const rows = await Promise.all(
    tables.map(({ name }) =>
      sql.unsafe<{ text: string }[]>(`select t::text as text from ${name} t`),
    ),
  )
  const bodies = await sql<{ text: string }[]>`
    select convert_from(body, 'UTF8') as text from postern_audit_entry
    union all select convert_from(body, 'UTF8') from postern_audit_intake`
  return [...rows.flat(), ...bodies].map(({ text }) => text).join('\n')
}

export async function redisText(url: string): Promise<string> {
  const redis = new Redis(url)
  const readers: Readonly<Record<string, (key: string) => Promise<unknown>>> = {
    // Expired since its name was read.
    none: () => Promise.resolve(undefined),
    string: (key) => redis.get(key),
    hash: (key) => redis.hgetall(key),
    list: (key) => redis.lrange(key, 0, -1),
    set: (key) => redis.smembers(key),
    zset: (key) => redis.zrange(key, '0', '-1'),
    stream: (key) => redis.xrange(key, '-', '+', 'COUNT', 100_000),
  }
  const texts: string[] = []
  for (const key of await redis.keys('*')) {
    const read = readers[await redis.type(key)]
    if (read === undefined) throw new Error(`${key} is of a type that is not read here`)
    texts.push(`${key} ${JSON.stringify(await read(key))}`)
  }
  redis.disconnect()
  return texts.join('\n')
}

export async function filesText(folder: string): Promise<string> {
  const names = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = names.filter((entry) => entry.isFile())
  const texts = files.map(async ({ parentPath, name }) => {
    const bytes = await readFile(join(parentPath, name))
    return (name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('latin1')
  })
  return (await Promise.all(texts)).join('\n')
}
