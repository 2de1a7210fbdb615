// Run by ci/test-compose.sh, which has images, a daemon and the prepared state, and takes all down.
import { beforeAll, expect, test } from 'bun:test'
import { rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { z } from 'zod'

const compose = process.env['COMPOSE_UNDER_TEST']?.split(' ')
const docker = process.env['DOCKER_CLIENT'] ?? 'docker'
const image = process.env['POSTERN_IMAGE'] ?? ''
const elsewhere = process.env['ELSEWHERE'] ?? ''
const state = process.env['POSTERN_STATE'] ?? ''
const services = ['postern', 'postgres', 'redis']
const opa = process.env['OPA'] ?? ''
const root = join(import.meta.dir, '..', '..')
const upMsMax = 180_000
const callMsMax = 30_000

const composeTest = test.if(compose !== undefined)

let token = ''
let callers = ''
/** Of each service's container. */
const ids = new Map<string, string>()

beforeAll(async () => {
  if (compose === undefined) return
  token = await admitCaller()
  const up = await run([...compose, 'up', '--detach'])
  if (up.code !== 0) throw new Error(`${up.output}\n${(await run([...compose, 'logs'])).output}`)
  for (const service of [...services, 'migrate']) {
    ids.set(service, (await run([...compose, 'ps', '--quiet', '--all', service])).output)
  }
  const format = '{{range $name, $_ := .NetworkSettings.Networks}}{{$name}} {{end}}'
  const networks = (await inspect('postern', format)).split(' ')
  callers = networks.find((name) => name.endsWith('clients')) ?? ''
}, upMsMax)

async function run(command: readonly string[]): Promise<{ code: number; output: string }> {
  const child = Bun.spawn([...command], { stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' })
  const [code, out, err] = await Promise.all([
    child.exited,
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ])
  return { code, output: (out + err).trim() }
}

/** As an operator does: names an issuer in the access file, and puts the file in place by renaming. */
async function admitCaller(): Promise<string> {
  const { publicKey, privateKey } = await generateKeyPair('EdDSA', { extractable: true })
  const path = join(state, 'access', 'access.json')
  const access = await Bun.file(path).json()
  const issuer = {
    issuer: 'https://issuer.example',
    audiences: ['postern'],
    algorithms: ['EdDSA'],
    keys: { jwks: { keys: [{ ...(await exportJWK(publicKey)), kid: 'test' }] } },
    scopes: ['jobs:read', 'jobs:write:scoring'],
  }
  await writeFile(`${path}.new`, JSON.stringify({ ...access, issuers: [issuer] }), { mode: 0o644 })
  await rename(`${path}.new`, path)
  return await new SignJWT({ scope: issuer.scopes.join(' ') })
    .setProtectedHeader({ alg: 'EdDSA', kid: 'test' })
    .setIssuer(issuer.issuer)
    .setAudience('postern')
    .setSubject('caller')
    .setJti(crypto.randomUUID())
    .setIssuedAt()
    .setExpirationTime('5m')
    .sign(privateKey)
}

async function inspect(service: string, format: string): Promise<string> {
  const { output } = await run([docker, 'inspect', '--format', format, ids.get(service) ?? ''])
  return output
}

async function addressOf(service: string, network: string): Promise<string> {
  const path = `{{(index .NetworkSettings.Networks "${network}").IPAddress}}`
  return await inspect(service, path)
}

/** Code inside a running container, with what it may do: BUN_BE_BUN makes the binary a Bun. */
async function inside(service: string, code: string) {
  const opened = ['--env', 'BUN_BE_BUN=1', ids.get(service) ?? '', '/usr/local/bin/postern']
  return await run([docker, 'exec', ...opened, '-e', code])
}

/** Code in a container of its own on a network, as a caller has it. */
async function beside(network: string, code: string) {
  const options = ['--rm', '--network', network, '--env', 'BUN_BE_BUN=1']
  const authority = ['--volume', `${join(state, 'ca.crt')}:/ca.crt:ro`]
  return await run([docker, 'run', ...options, ...authority, image, '-e', code])
}

const asks = (url: string, init: object = {}) =>
  `const options = { ...${JSON.stringify(init)}, tls: { ca: Bun.file('/ca.crt') } }
   options.signal = AbortSignal.timeout(25000)
   const answer = await fetch('${url}', options).catch((error) => error)
   console.log(answer.status ?? answer.name, answer.status ? await answer.text() : '')`

const refused = (host: string, port: number) =>
  `const connected = Bun.connect({ hostname: '${host}', port: ${port}, socket: { data() {} } })
   const late = Bun.sleep(4000).then(() => 'nothing')
   console.log(await Promise.race([connected.then(() => 'connected', () => 'nothing'), late]))
   process.exit(0)`

composeTest(
  'every service gets healthy, after a migration that ended with 0',
  async () => {
    const giveUpAt = performance.now() + upMsMax
    for (const service of services) {
      while ((await inspect(service, '{{.State.Health.Status}}')) !== 'healthy') {
        if (performance.now() > giveUpAt) {
          throw new Error((await run([...(compose ?? []), 'logs', service])).output)
        }
        await Bun.sleep(500)
      }
      expect(await inspect(service, '{{.RestartCount}} {{.State.Status}}')).toBe('0 running')
    }
    expect(await inspect('migrate', '{{.State.Status}} {{.State.ExitCode}}')).toBe('exited 0')
  },
  upMsMax,
)

composeTest(
  'a caller on the network has a job done with its token, and nothing without',
  async () => {
    const url = 'https://postern:8080/v1/jobs/score-wallet'
    const request = {
      method: 'POST',
      body: '{"payload":{"wallet":"GiT17sgqU75hbRdnuPKMHWudgeqXo93vd95xkDn5qJtX"}}',
    }
    const json = { 'content-type': 'application/json', 'idempotency-key': crypto.randomUUID() }
    const refusal = await beside(callers, asks(url, { ...request, headers: json }))
    expect(refusal.output).toStartWith('401 ')
    const headers = { ...json, authorization: `Bearer ${token}` }
    const accepted = await beside(callers, asks(url, { ...request, headers }))
    expect(accepted.output).toStartWith('202 ')
    const { id } = JSON.parse(accepted.output.slice(4))
    const job = `https://postern:8080/v1/jobs/${id}?wait=20`
    const ended = await beside(callers, asks(job, { headers }))
    // There are no trades of this wallet: a worker says so, and its word is the outcome.
    expect(ended.output).toMatch(/^200 .*"state":"(?:completed|failed)"/)
  },
  callMsMax,
)

composeTest('no port is published', async () => {
  for (const service of services) {
    expect(await inspect(service, '{{len .HostConfig.PortBindings}}')).toBe('0')
    const { output } = await run([docker, 'port', ids.get(service) ?? ''])
    expect(output).toBe('')
  }
})

const stores = () => callers.replace('clients', 'stores')

composeTest(
  'from another network nothing is reached',
  async () => {
    for (const [service, network, port] of [
      ['postern', callers, 8080],
      ['postern', callers, 8081],
      ['redis', stores(), 6379],
      ['postgres', stores(), 5432],
    ] as const) {
      const { output } = await beside(elsewhere, refused(await addressOf(service, network), port))
      expect(output).toBe('nothing')
    }
  },
  callMsMax * 2,
)

composeTest(
  'callers do not reach Postgres and Redis',
  async () => {
    for (const [service, port] of [
      ['redis', 6379],
      ['postgres', 5432],
    ] as const) {
      const { output } = await beside(callers, refused(await addressOf(service, stores()), port))
      expect(output).toBe('nothing')
    }
  },
  callMsMax,
)

composeTest('the host, which is on every bridge, is no caller', async () => {
  const headers = { authorization: `Bearer ${token}` }
  const answer = await fetch(`https://${await addressOf('postern', callers)}:8080/v1/kinds`, {
    headers,
    tls: { rejectUnauthorized: false },
  })
  expect(answer.status).toBe(403)
  expect(await answer.json()).toMatchObject({ type: '/problems/access.address_refused' })
})

composeTest(
  'Postern reaches nothing outside',
  async () => {
    const format = '{{(index .IPAM.Config 0).Gateway}}'
    const host = await run([docker, 'network', 'inspect', '--format', format, elsewhere])
    for (const address of [host.output, '192.0.2.1']) {
      const { output } = await inside('postern', refused(address, 443))
      expect(output).toBe('nothing')
    }
  },
  callMsMax,
)

composeTest('Postern writes its store and its log, and nowhere else', async () => {
  const { output } = await inside(
    'postern',
    `const tries = ['/x', '/tmp/x', '/usr/local/bin/x', '/etc/postern/x', '/etc/postern/access/x',
       '/run/secrets/x', '/var/lib/postern/x', '/var/lib/postern/store/x', '/var/lib/postern/audit/x']
     for (const path of tries) {
       try { require('node:fs').writeFileSync(path, ''); console.log(path); require('node:fs').unlinkSync(path) } catch {}
     }`,
  )
  expect(output.split('\n')).toEqual(['/var/lib/postern/store/x', '/var/lib/postern/audit/x'])
})

composeTest('Postern has no shell', async () => {
  for (const shell of ['/bin/sh', '/bin/bash', '/busybox/sh', 'sh']) {
    const { code } = await run([docker, 'exec', ids.get('postern') ?? '', shell, '-c', 'true'])
    expect([126, 127]).toContain(code)
  }
})

composeTest.each(services)('%s has no capability, gains none, and is no root', async (service) => {
  const pid = await inspect(service, '{{.State.Pid}}')
  const status = await Bun.file(`/proc/${pid}/status`).text()
  const of = (name: string) => new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(status)?.[1]
  for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb']) {
    expect(`${set} ${of(set)}`).toBe(`${set} 0000000000000000`)
  }
  expect(of('NoNewPrivs')).toBe('1')
  expect(of('Seccomp')).toBe('2')
  const user = service === 'postern' ? '65532' : '999'
  expect(of('Uid')).toBe([user, user, user, user].join('\t'))
  expect(await inspect(service, '{{.HostConfig.ReadonlyRootfs}}')).toBe('true')
})

composeTest('Redis takes no plain connection, and from a stranger nothing but PING', async () => {
  const cli = [docker, 'exec', ids.get('redis') ?? '', 'redis-cli', '-e']
  const tls = ['--tls', '--cacert', '/etc/postern/ca.crt']
  expect((await run([...cli, 'ping'])).code).not.toBe(0)
  expect((await run([...cli, ...tls, 'ping'])).output).toBe('PONG')
  expect((await run([...cli, ...tls, 'get', 'x'])).output).toContain('NOPERM')
})

composeTest('Postgres takes no plain connection', async () => {
  const { output } = await run([
    ...[docker, 'exec', ids.get('postgres') ?? '', 'psql', '--no-password'],
    'postgres://postern_a@127.0.0.1/postern?sslmode=disable',
  ])
  expect(output).toContain('rejects connection')
})

composeTest(
  'the Redis login takes turns, and the store and the file of users are written',
  async () => {
    const postern = [docker, 'exec', ids.get('postern') ?? '', '/usr/local/bin/postern']
    const pair = ['--users', 'postern_a,postern_b', '--admin', 'secret:postern/redis-rotator#url']
    const kind = ['--kind', 'redis-user', ...pair]
    const said = await run([...postern, 'secrets', 'set-rotation', 'postern/redis', ...kind])
    expect(said.code, said.output).toBe(0)
    const rotated = await run([...postern, 'secrets', 'rotate', 'postern/redis'])
    expect(rotated.code, rotated.output).toBe(0)
    const users = await Bun.file(join(state, 'redis', 'users', 'users.acl')).text()
    expect(users).toContain('user postern_a off')
    expect(users).toContain('user postern_b on')
  },
  callMsMax * 4,
)

// When this fails Bun has closed the opening: then the names need not be forbidden any more.
composeTest('BUN_BE_BUN still opens the binary, so that a policy has to close it', async () => {
  const { output } = await inside('postern', 'console.log("I am Bun")')
  expect(output).toBe('I am Bun')
})

test.if(compose !== undefined && opa !== '').each([
  ['as it stands it is not refused', {}, []],
  ['with BUN_BE_BUN for Postern it is refused', { BUN_BE_BUN: '1' }, ['services.postern']],
])('the policy over compose.yaml: %s', async (_, more, addresses) => {
  const file = Bun.YAML.parse(await Bun.file(join(root, 'deploy', 'compose.yaml')).text())
  const { services: all } = composeSchema.parse(file)
  const changed = { ...all['postern'], environment: { ...all['postern']?.environment, ...more } }
  const query = '[result.address | some result in data.compose.service.environment.deny]'
  const child = Bun.spawn(
    [opa, 'eval', '--bundle', 'policy', '--stdin-input', '--format', 'raw', query],
    {
      cwd: root,
      stdin: new Blob([JSON.stringify({ services: { ...all, postern: changed } })]),
      stdout: 'pipe',
    },
  )
  expect(JSON.parse(await new Response(child.stdout).text())).toEqual(addresses)
})

const composeSchema = z.looseObject({
  services: z.record(
    z.string(),
    z.looseObject({ environment: z.record(z.string(), z.unknown()).optional() }),
  ),
})
