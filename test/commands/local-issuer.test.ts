import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import { z } from 'zod'
import { freshIssuerKeys } from '#core/access/issuer-keys.ts'
import { writeFileSecret } from '#core/secret/file-secret-store.ts'
import { localName, privateTexts } from '#test/access/issuer-world.ts'
import { writeKeyFile } from '#test/secret/key-file.ts'
import { posternCommand } from '#test/support/postern-command.ts'
import { freePort } from '#test/support/server-process.ts'
import { untilAnswered } from '../bench/http-load.ts'
import { runPostern } from './run-postern.ts'

setDefaultTimeout(60_000)

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-issuer-'))
})
afterAll(() => rm(folder, { recursive: true }))

const minted = z.object({ token: z.string(), token_id: z.string() })

async function startUp(env: Record<string, string>) {
  const port = await freePort()
  const child = Bun.spawn([...posternCommand, 'up', '--port', String(port)], {
    ...{ cwd: folder, env, stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' },
  })
  const said = Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
  const url = `http://127.0.0.1:${port}`
  await untilAnswered(`${url}/healthz`)
  return {
    url,
    async stop() {
      child.kill('SIGTERM')
      await child.exited
      return (await said).join('')
    },
  }
}

test('on the embedded engine too a caller mints, its token opens what it grants, and no key is told', async () => {
  const files = { secretFile: join(folder, 'secrets'), keyFile: join(folder, 'key') }
  await writeKeyFile(files.keyFile)
  const members = await freshIssuerKeys()
  await writeFileSecret({ ...files, name: 'postern/issuer', members })
  const env = {
    ...{ PATH: '/usr/bin:/bin', POSTERN_LOG_LEVEL: 'debug', POSTERN_DATA_DIRECTORY: folder },
    ...{ POSTERN_SECRET_STORE: 'file', POSTERN_SECRET_FILE: files.secretFile },
    ...{ POSTERN_SECRET_BOOTSTRAP_FILE: files.keyFile, POSTERN_ISSUER: localName },
    POSTERN_ISSUER_KEYS: 'secret:postern/issuer#current',
  }
  const up = await startUp(env)
  const told: string[] = []
  const send = async (method: string, path: string, token: string, body?: object) => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
    const init = body === undefined ? {} : { body: JSON.stringify(body) }
    const ask = () => fetch(`${up.url}${path}`, { method, headers, ...init })
    let answer = await ask()
    // A record may be late while the workers still open: the caller is told to come again.
    while (answer.status === 503) {
      await Bun.sleep(100)
      answer = await ask()
    }
    const text = await answer.text()
    told.push(text)
    return { status: answer.status, text }
  }
  try {
    const scope = ['token', 'mint', '--scope', 'tokens:mint']
    const minter = (await runPostern(scope, { folder, settings: env })).out.trim()
    const wish = { subject: 'nightly', scopes: ['jobs:read'], audience: 'postern' }
    const made = await send('POST', '/internal/tokens', minter, wish)
    expect(made.status).toBe(200)
    const { token, token_id: id } = minted.parse(JSON.parse(made.text))
    expect((await send('GET', '/v1/kinds', token)).status).toBe(200)
    expect((await send('POST', '/internal/tokens', token, wish)).status).toBe(403)
    expect((await send('GET', '/internal/queues', token)).status).toBe(403)
    const keys = createRemoteJWKSet(new URL(`${up.url}/.well-known/jwks.json`))
    const verified = await jwtVerify(token, keys, { issuer: localName, audience: 'postern' })
    expect(verified.payload.jti).toBe(id)
    told.shift()
    const written = [...told, await up.stop()].join('')
    for (const secret of [token, ...privateTexts(members)]) expect(written).not.toContain(secret)
  } finally {
    await up.stop()
  }
})
