// What the tests of this folder share: the stack that ci/test-compose.sh names, asked as an operator
// and as a caller.
import { rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'

export const root = join(import.meta.dir, '..', '..')
/** `docker-compose --project-name … --file …`, or nothing outside of that script. */
export const compose = process.env['COMPOSE_UNDER_TEST']?.split(' ')
export const docker = process.env['DOCKER_CLIENT'] ?? 'docker'
export const state = process.env['POSTERN_STATE'] ?? ''
const image = process.env['POSTERN_IMAGE'] ?? ''

export async function run(
  command: readonly string[],
  options: {
    readonly cwd?: string
    readonly env?: Readonly<Record<string, string | undefined>>
  } = {},
): Promise<{ code: number; output: string }> {
  const streams = { stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' } as const
  const child = Bun.spawn([...command], { ...streams, ...options })
  const [code, out, err] = await Promise.all([
    child.exited,
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ])
  return { code, output: (out + err).trim() }
}

export const testIssuer = 'https://issuer.example'

/** As an operator does: names an issuer in the access file, and puts the file in place by renaming. */
export async function admitCaller(): Promise<{ token: string; jti: string }> {
  const { publicKey, privateKey } = await generateKeyPair('EdDSA', { extractable: true })
  const path = join(state, 'access', 'access.json')
  const access = await Bun.file(path).json()
  const issuer = {
    issuer: testIssuer,
    audiences: ['postern'],
    algorithms: ['EdDSA'],
    keys: { jwks: { keys: [{ ...(await exportJWK(publicKey)), kid: 'test' }] } },
    scopes: ['jobs:read', 'jobs:write:scoring'],
  }
  await writeFile(`${path}.new`, JSON.stringify({ ...access, issuers: [issuer] }), { mode: 0o644 })
  await rename(`${path}.new`, path)
  const jti = crypto.randomUUID()
  const token = await new SignJWT({ scope: issuer.scopes.join(' ') })
    .setProtectedHeader({ alg: 'EdDSA', kid: 'test' })
    .setIssuer(issuer.issuer)
    .setAudience('postern')
    .setSubject('caller')
    .setJti(jti)
    .setIssuedAt()
    .setExpirationTime('1h')
    .sign(privateKey)
  return { token, jti }
}

export async function containerOf(service: string): Promise<string> {
  return (await run([...(compose ?? []), 'ps', '--quiet', '--all', service])).output
}

/** What `docker inspect` says of a container in a Go template. */
export async function inspect(id: string, format: string): Promise<string> {
  return (await run([docker, 'inspect', '--format', format, id])).output
}

/** The name of the network that callers join. */
export async function callersNetwork(): Promise<string> {
  const format = '{{range $name, $_ := .NetworkSettings.Networks}}{{$name}} {{end}}'
  const networks = (await inspect(await containerOf('postern'), format)).split(' ')
  return networks.find((name) => name.endsWith('clients')) ?? ''
}

export async function untilHealthy(services: readonly string[], ms: number) {
  const giveUpAt = performance.now() + ms
  for (const service of services) {
    for (;;) {
      const id = await containerOf(service)
      if (id !== '' && (await inspect(id, '{{.State.Health.Status}}')) === 'healthy') break
      if (performance.now() > giveUpAt) {
        throw new Error((await run([...(compose ?? []), 'logs', service])).output)
      }
      await Bun.sleep(500)
    }
  }
}

/** Code in a container of its own on a network, as a caller has it: BUN_BE_BUN makes the binary a Bun. */
export async function beside(network: string, code: string) {
  const options = ['--rm', '--network', network, '--env', 'BUN_BE_BUN=1']
  const authority = ['--volume', `${join(state, 'ca.crt')}:/ca.crt:ro`]
  return await run([docker, 'run', ...options, ...authority, image, '-e', code])
}

/** A request: prints the status and the body, or the name of what went wrong. */
export const asks = (url: string, init: object = {}) =>
  `const options = { ...${JSON.stringify(init)}, tls: { ca: Bun.file('/ca.crt') } }
   options.signal = AbortSignal.timeout(25000)
   const answer = await fetch('${url}', options).catch((error) => error)
   console.log(answer.status ?? answer.name, answer.status ? await answer.text() : '')`

/** A job that a caller may enqueue. */
export const newJob = (headers: Readonly<Record<string, string>>) =>
  asks('https://postern:8080/v1/jobs/score-wallet', {
    method: 'POST',
    body: '{"payload":{"wallet":"GiT17sgqU75hbRdnuPKMHWudgeqXo93vd95xkDn5qJtX"}}',
    headers: {
      'content-type': 'application/json',
      'idempotency-key': crypto.randomUUID(),
      ...headers,
    },
  })
