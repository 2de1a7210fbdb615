/** The envelope of every answer that has something in it. */
export function vaultData(data: unknown, { status = 200, ...rest }: VaultEnvelope = {}): Response {
  const empty = {
    ...{ request_id: crypto.randomUUID(), lease_id: '', renewable: false, lease_duration: 0 },
    ...{ data: null, wrap_info: null, warnings: null, auth: null },
  }
  return Response.json({ ...empty, data, ...rest }, { status })
}

type VaultEnvelope = {
  readonly status?: number
  readonly lease_id?: string
  readonly renewable?: boolean
  readonly lease_duration?: number
  readonly auth?: unknown
}

/** Without a sentence it is what Vault says of anything that is not there. */
export function vaultErrors(status: number, ...errors: readonly string[]): Response {
  return Response.json({ errors }, { status })
}

export const vaultDone = () => new Response(null, { status: 204 })
export const vaultAbsent = () => vaultErrors(404)
