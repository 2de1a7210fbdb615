import { z } from 'zod'
import type { GcpLogin } from '#core/secret/gcp/gcp-login.ts'
import { encodeSecretName } from '#core/secret/secret-name.ts'
import type { SecretMembers } from '#core/secret/secret-store.ts'

export type GcpByHand = {
  /** Below `/secrets`. */
  ask(method: string, path: string, body?: object): Promise<Response>
  /** Adds a version that holds the text, and makes the secret where there is none. */
  putText(name: string, text: string): Promise<string>
  put(name: string, members: SecretMembers): Promise<string>
  /** Version by alias. */
  aliases(name: string): Promise<Readonly<Record<string, string>>>
}

const versionSchema = z.object({ name: z.string() })
const secretSchema = z.object({
  versionAliases: z.record(z.string(), z.string()).default({}),
})

/** What an operator does with `gcloud`, in plain requests. */
export function gcpByHand(options: {
  readonly endpoint: string
  readonly project: string
  readonly login: GcpLogin
  /** PEM; else the system's roots. */
  readonly ca?: string | undefined
}): GcpByHand {
  async function ask(method: string, path: string, body?: object): Promise<Response> {
    return await fetch(`${options.endpoint}/v1/projects/${options.project}/secrets${path}`, {
      method,
      headers: { authorization: `Bearer ${await options.login()}` },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(options.ca === undefined ? {} : { tls: { ca: options.ca } }),
    })
  }

  async function putText(name: string, text: string): Promise<string> {
    const id = encodeSecretName(name)
    const made = await ask('POST', `?secretId=${id}`, { replication: { automatic: {} } })
    if (!made.ok && made.status !== 409) throw new Error(`not made: ${made.status}`)
    const data = Buffer.from(text).toString('base64')
    const added = await ask('POST', `/${id}:addVersion`, { payload: { data } })
    return (
      versionSchema
        .parse(await added.json())
        .name.split('/')
        .at(-1) ?? ''
    )
  }

  return {
    ask,
    putText,
    put: (name, members) => putText(name, JSON.stringify(members)),
    async aliases(name) {
      const answer = await ask('GET', `/${encodeSecretName(name)}`)
      return secretSchema.parse(await answer.json()).versionAliases
    },
  }
}
