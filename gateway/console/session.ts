import { createContext } from 'preact'
import { useContext } from 'preact/hooks'
import * as z from 'zod/mini'
import { callGateway, Refused, type Request, readAnswer } from './call.ts'

/** Milliseconds without a key, a touch or a movement of the pointer. */
export const idleMsMax = 15 * 60_000
const tokenCharactersMax = 16_384

export type Session = {
  /** As the token says it; the gateway alone judges. */
  readonly subject: string
  readonly scopes: ReadonlySet<string>
  readonly expiresAt: Date | undefined
  json<Schema extends z.ZodMiniType>(request: Request, schema: Schema): Promise<z.output<Schema>>
  text(request: Request): Promise<string>
}

const claimsSchema = z.object({
  sub: z.optional(z.string()),
  exp: z.optional(z.number()),
  scope: z.optional(z.string()),
})

/**
 * Holds the token in this closure and nowhere else: not in a member, a store, a cookie, the URL or
 * the document. Dropping the session drops it. `onRejected` is told which session it was when the
 * gateway takes it no more.
 */
export function openSession(token: string, onRejected: (session: Session) => void): Session {
  const claims = claimsOf(token)
  async function call(request: Request): Promise<Response> {
    try {
      return await callGateway(token, request)
    } catch (thrown) {
      if (thrown instanceof Refused && thrown.status === 401) onRejected(session)
      throw thrown
    }
  }
  const session: Session = {
    subject: claims.sub ?? 'unknown',
    scopes: new Set(claims.scope?.split(' ') ?? []),
    expiresAt: claims.exp === undefined ? undefined : new Date(claims.exp * 1_000),
    json: async (request, schema) => await readAnswer(await call(request), schema),
    text: async (request) => await (await call(request)).text(),
  }
  return session
}

/** Only to be shown: who, until when. What is no JWT has none. */
function claimsOf(token: string): z.output<typeof claimsSchema> {
  try {
    const part = token.split('.')[1] ?? ''
    const binary = atob(part.replaceAll('-', '+').replaceAll('_', '/'))
    const bytes = Uint8Array.from(binary, (character) => character.charCodeAt(0))
    return claimsSchema.parse(JSON.parse(new TextDecoder().decode(bytes)))
  } catch {
    return {}
  }
}

/** What was pasted, as a token; undefined for what cannot be one. */
export function tokenIn(pasted: string): string | undefined {
  const token = pasted.trim().replace(/^Bearer\s+/i, '')
  const isToken = /^[\x21-\x7e]+$/.test(token) && token.length <= tokenCharactersMax
  return isToken ? token : undefined
}

const sessions = createContext<Session | undefined>(undefined)
export const SessionProvider = sessions.Provider

export function useSession(): Session {
  const session = useContext(sessions)
  if (session === undefined) throw new Error('invariant: views are shown to a session only')
  return session
}
