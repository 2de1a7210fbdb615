import { expect, test } from 'bun:test'
import { createMetrics } from '#core/metrics.ts'
import { meteredStore } from '#core/secret/metered-store.ts'
import { readerOf } from '../../commands/open-secret-store.ts'
import { memorySecretStore } from './memory-secret-store.ts'

test('reads of the store are counted by name, those from memory as hits, and no value is in a metric', async () => {
  const store = memorySecretStore()
  const metrics = createMetrics()
  const name = 'postern/database'
  await store.stage(name, { members: { url: 'canary-value' }, rotation: Bun.randomUUIDv7() })
  const reader = readerOf(store, { metrics })
  for (const _ of [1, 2, 3]) await reader.read({ name, member: 'url' })
  store.setOutage(true)
  await reader.read({ name: 'postern/other', member: 'url' }).catch(() => undefined)
  await meteredStore(store, metrics)
    .read(name, '1')
    .catch(() => undefined)
  const text = await metrics.registry.metrics()
  for (const line of [
    'secrets_accessed_total{backend="memory",secret_name="postern/database"} 2',
    'secrets_cache_hits_total 2',
    'secrets_cache_misses_total 2',
    'secret_access_latency_seconds_count{backend="memory"} 2',
    'postern_secret_store_failures_total{backend="memory"} 1',
  ]) {
    expect(text).toContain(line)
  }
  expect(text).not.toContain('canary-value')
})
