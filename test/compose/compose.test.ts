// Run by ci/test-compose.sh, which has images, a daemon and the prepared state, and takes all down.
import { beforeAll, expect, test } from 'bun:test'
import { join } from 'node:path'
import { z } from 'zod'
import {
  admitCaller,
  asks,
  beside,
  callersNetwork,
  compose,
  containerOf,
  docker,
  inspect as inspectContainer,
  newJob,
  root,
  run,
  state,
  untilHealthy,
} from './stack.ts'

const elsewhere = process.env['ELSEWHERE'] ?? ''
const services = ['postern', 'postgres', 'redis']
const opa = process.env['OPA'] ?? ''
const upMsMax = 180_000
const callMsMax = 30_000

const composeTest = test.if(compose !== undefined)

let token = ''
let callers = ''
/** Of each service's container. */
const ids = new Map<string, string>()

beforeAll(async () => {
  if (compose === undefined) return
  token = (await admitCaller()).token
  const up = await run([...compose, 'up', '--detach'])
  if (up.code !== 0) throw new Error(`${up.output}\n${(await run([...compose, 'logs'])).output}`)
  for (const service of [...services, 'migrate']) {
    ids.set(service, await containerOf(service))
  }
  callers = await callersNetwork()
}, upMsMax)

async function inspect(service: string, format: string): Promise<string> {
  return await inspectContainer(ids.get(service) ?? '', format)
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

const refused = (host: string, port: number) =>
  `const connected = Bun.connect({ hostname: '${host}', port: ${port}, socket: { data() {} } })
   const late = Bun.sleep(4000).then(() => 'nothing')
   console.log(await Promise.race([connected.then(() => 'connected', () => 'nothing'), late]))
   process.exit(0)`

composeTest(
  'every service gets healthy, after a migration that ended with 0',
  async () => {
    await untilHealthy(services, upMsMax)
    for (const service of services) {
      expect(await inspect(service, '{{.RestartCount}} {{.State.Status}}')).toBe('0 running')
    }
    expect(await inspect('migrate', '{{.State.Status}} {{.State.ExitCode}}')).toBe('exited 0')
  },
  upMsMax,
)

composeTest(
  'a caller on the network has a job done with its token, and nothing without',
  async () => {
    const refusal = await beside(callers, newJob({}))
    expect(refusal.output).toStartWith('401 ')
    const headers = { authorization: `Bearer ${token}` }
    const accepted = await beside(callers, newJob(headers))
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
