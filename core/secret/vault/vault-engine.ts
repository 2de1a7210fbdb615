import { z } from 'zod'
import { storeUnavailable } from '../store-http.ts'
import { answerIn, vaultPath } from './vault-http.ts'
import type { VaultAsk } from './vault-session.ts'

const engineSchema = z.object({
  data: z.object({
    type: z.string(),
    options: z.object({ version: z.string().optional() }).nullish(),
  }),
})

/** Throws `secret.unavailable` where the mount is no KV engine of version 2, or not for us. */
export async function checkEngine(ask: VaultAsk, mount: string): Promise<void> {
  const path = vaultPath('sys/internal/ui/mounts', mount)
  // Vault shows an engine to whoever may do anything in it.
  const needs = `something below ${mount}, and ${mount} must be there`
  const request = { method: 'GET', path, needs } as const
  const { type, options } = answerIn(await ask(request), engineSchema, request).data
  if (type === 'kv' && options?.version === '2') return
  throw storeUnavailable(`${mount} in Vault is no KV engine of version 2 but ${type}`)
}
