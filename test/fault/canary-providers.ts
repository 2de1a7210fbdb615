import { type ElastiCacheDouble, elastiCacheDouble } from '#test/doubles/elasticache-double.ts'
import { keyHookDouble } from '#test/doubles/key-hook-double.ts'
import { type CanaryStage, cloudUsers } from './canary-stage.ts'
import { canary } from './canary-store.ts'

export const cloudIds = ['desk-cloud-a', 'desk-cloud-b'] as const

export type Provider = Awaited<ReturnType<typeof openProviders>>

/** Who makes keys and logins for us: a hook that keeps its word, one that echoes, and a cloud. */
export async function openProviders({ store, root, logins }: CanaryStage) {
  const token = (await store.store.read('desk/hook', '1'))['token'] ?? ''
  const { key = '' } = await store.store.read('desk/feed', '1')
  const hook = keyHookDouble(token)
  hook.keys.set('id-0', key)
  const cloud: ElastiCacheDouble = elastiCacheDouble(root)
  const rules = 'on ~* &* +@all'
  const password = logins['cloud_a']?.password ?? ''
  await cloud.add(cloudIds[0], { name: cloudUsers[0], accessString: rules, passwords: [password] })
  const idle = { name: cloudUsers[1], accessString: 'off -@all', passwords: [canary('idle user')] }
  await cloud.add(cloudIds[1], idle)
  let status = 200
  const echo = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    // All that it was sent, its own token first, in body, header and status line.
    async fetch(request) {
      const sent = request.headers.get('authorization') ?? ''
      const text = JSON.stringify({ error: `no: ${sent}`, asked: await request.text() })
      const location = `http://127.0.0.1:1/?token=${encodeURIComponent(sent)}`
      const headers = { 'content-type': 'application/json', 'x-echo': sent, location }
      return new Response(text, { status, statusText: sent, headers })
    },
  })
  return {
    ...{ hook, cloud, echoUrl: `http://127.0.0.1:${echo.port}` },
    echoes(next: number) {
      status = next
    },
    stop: () => Promise.all([hook.stop(), cloud.stop(), echo.stop(true)]),
  }
}
