import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type PostgresServer, startPostgres } from './postgres-server.ts'

/** A server that asks these users for their passwords; elsewhere in the tests nobody needs one. */
export async function startPasswordPostgres(users: readonly string[]): Promise<PostgresServer> {
  const folder = await mkdtemp(join(tmpdir(), 'postern-hba-'))
  await chmod(folder, 0o755)
  const hba = join(folder, 'pg_hba.conf')
  const names = users.join()
  await writeFile(
    hba,
    `host all ${names} 127.0.0.1/32 scram-sha-256
host all ${names} ::1/128 scram-sha-256
host all all 127.0.0.1/32 trust
`,
  )
  const server = await startPostgres({ settings: [`hba_file=${hba}`] })
  return {
    ...server,
    async stop(how) {
      await server.stop(how)
      await rm(folder, { recursive: true, force: true })
    },
  }
}
