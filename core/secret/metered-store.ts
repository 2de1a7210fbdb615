import { PosternError } from '../errors.ts'
import type { Metrics } from '../metrics.ts'
import type { SecretStore } from './secret-store.ts'

/** Counts what is read of a store, by name, and how long it takes; never what. */
export function meteredStore(
  store: SecretStore,
  { secretsAccessed, secretAccessSeconds, secretStoreFailures }: Metrics,
): SecretStore {
  const backend = store.name
  return {
    ...store,
    async read(name, version) {
      secretsAccessed.inc({ backend, secret_name: name })
      const end = secretAccessSeconds.startTimer({ backend })
      try {
        return await store.read(name, version)
      } catch (error) {
        if (error instanceof PosternError && error.code === 'secret.unavailable') {
          secretStoreFailures.inc({ backend })
        }
        throw error
      } finally {
        end()
      }
    },
  }
}
