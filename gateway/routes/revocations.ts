import { z } from 'zod'
import { PosternError } from '#core/errors.ts'
import { listPageMax } from '#core/job/limits.ts'
import {
  type RevocationDocument,
  type Revocations,
  revocationDocumentSchema,
} from '#core/revocation/postgres-revocations.ts'
import {
  type Revoked,
  revocationClasses,
  revocationStates,
  secretOf,
} from '#core/revocation/revocation.ts'
import { isSecretName } from '#core/secret/secret-reference.ts'
import { answer } from '../answer.ts'
import { jsonBody } from '../body.ts'
import { callerOf, type GatewayContext } from '../context.ts'
import { instantParameter, integerParameter } from '../parameters.ts'
import { defineRoute, type Route } from '../route.ts'

const pageDefault = 50
/** Of a person's words. */
const reasonCharactersMax = 500
const valueCharactersMax = 256

export type RevocationDependencies = {
  readonly revocations: Revocations
  readonly now: () => Date
}

/** What must no longer be let in, for operators. */
export function revocationRoutes(deps: RevocationDependencies): readonly Route[] {
  return [revokeRoute(deps), listRoute(deps), readRoute(deps), liftRoute(deps)]
}

const reason = z.string().trim().min(1).max(reasonCharactersMax)
/** As an access file takes them. */
const claim = z.string().regex(/^\S+$/, 'has white space').max(valueCharactersMax)

function revocationBodyOf(now: () => Date) {
  return z
    .strictObject({
      class: z.enum(revocationClasses),
      issuer: claim.optional().meta({ description: 'The token’s iss; none for secrets' }),
      value: claim.optional().meta({
        description:
          'The claim; none for iss. `name@version` of a secret, `name:login` of a credential',
      }),
      until: instantParameter
        .refine((text) => !(Date.parse(text) <= now().getTime()), 'is over already')
        .optional()
        .meta({ description: 'When it ends by itself; without it: never, or with the token' }),
      reason,
    })
    .superRefine((body, context) => {
      for (const [path, message] of faultsOf(body)) {
        context.addIssue({ code: 'custom', path: [path], message })
      }
    })
}

type RevocationBody = z.infer<ReturnType<typeof revocationBodyOf>>
type Named = Pick<RevocationBody, 'class' | 'issuer' | 'value' | 'until'>

type Fault = readonly [member: string, message: string]

function faultsOf(body: Named): readonly Fault[] {
  return body.class === 'secret' || body.class === 'credential'
    ? secretFaults(body)
    : tokenFaults(body)
}

function secretFaults(body: Named): readonly Fault[] {
  const named = body.value === undefined ? undefined : secretOf(revokedOf(body))
  const isNamed = named !== undefined && isSecretName(named.name)
  const form = body.class === 'secret' ? 'name@version' : 'name:login'
  return [
    ...fault(body.issuer !== undefined, 'issuer', 'a secret has none'),
    ...fault(!isNamed, 'value', `not of the form ${form}`),
    ...fault(body.until !== undefined, 'until', 'what is retired does not come back'),
  ]
}

function tokenFaults(body: Named): readonly Fault[] {
  const isAll = body.class === 'iss'
  return [
    ...fault(body.issuer === undefined, 'issuer', 'names whose tokens'),
    ...fault(isAll && body.value !== undefined, 'value', 'the issuer is all'),
    ...fault(!isAll && body.value === undefined, 'value', 'names what is revoked'),
  ]
}

function fault(isOne: boolean, member: string, message: string): readonly Fault[] {
  return isOne ? [[member, message]] : []
}

function revokedOf(body: Named): Revoked {
  return { class: body.class, issuer: body.issuer ?? '', value: body.value ?? '' }
}

const statusOf = ({ state }: RevocationDocument) => (state === 'awaiting_second' ? 202 : 200)

function revokeRoute({ revocations, now }: RevocationDependencies): Route {
  return defineRoute({
    method: 'POST',
    path: '/internal/revocations',
    zone: 'internal',
    scope: 'revocations:write',
    operationId: 'revoke',
    summary: 'Let a token, a subject, a key, an issuer or a credential in no more',
    description:
      'In force with the answer; `effective_at` says since when it is refused everywhere, open sessions included. A signing key and an issuer take two principals: the first is answered 202, and the second has 15 minutes. A version of a secret that is in force is rotated first, and waits for nobody. Asked again it never becomes weaker.',
    body: jsonBody(revocationBodyOf(now), {
      example: {
        class: 'jti',
        issuer: 'https://id.example',
        value: '0197c0de',
        reason: 'in a ticket',
      },
    }),
    answers: {
      200: { description: 'In force', schema: revocationDocumentSchema },
      202: { description: 'Waits for a second principal', schema: revocationDocumentSchema },
    },
    refusals: ['access.second_principal_needed', 'database.unavailable'],
    async handle(c, { body }) {
      const until = body.until === undefined ? undefined : new Date(body.until)
      refuseOwn(c, body)
      const by = callerOf(c)
      const revoked = await revocations.revoke({
        ...{ ...revokedOf(body), reason: body.reason, until, by },
      })
      return answer(c, statusOf(revoked), revoked)
    },
  })
}

/** Nobody revokes everybody by mistake; and whoever revoked himself could not see what became of it. */
function refuseOwn(c: GatewayContext, body: RevocationBody): void {
  const { issuer, subject } = c.get('principal')
  if (body.class !== 'sub' || body.issuer !== issuer || body.value !== subject) return
  throw new PosternError('request.body_invalid', {
    detail: 'This is the subject that asks; let another one revoke it.',
    errors: [{ pointer: '/value', detail: 'the subject of this very token' }],
  })
}

function listRoute({ revocations }: RevocationDependencies): Route {
  return defineRoute({
    method: 'GET',
    path: '/internal/revocations',
    zone: 'internal',
    scope: 'revocations:read',
    operationId: 'list-revocations',
    summary: 'Revocations, newest first, and since when each is effective',
    query: z.strictObject({
      class: z.enum(revocationClasses).optional(),
      state: z.enum(revocationStates).optional(),
      limit: integerParameter(1, listPageMax).default(pageDefault),
      cursor: z
        .string()
        .regex(/^[1-9][0-9]{0,17}$/, 'not a cursor that a page has named')
        .optional(),
    }),
    answers: {
      200: {
        description: 'A page of revocations',
        schema: z.strictObject({
          revocations: z.array(revocationDocumentSchema),
          next: z.string().optional(),
        }),
      },
    },
    refusals: ['database.unavailable'],
    async handle(c, { query }) {
      const page = await revocations.list({ ...query, limit: query.limit + 1 })
      const shown = page.slice(0, query.limit)
      const next = page.length > query.limit ? shown.at(-1)?.id : undefined
      return answer(c, 200, { revocations: shown, ...(next === undefined ? {} : { next }) })
    },
  })
}

const idParams = z.strictObject({ id: z.string().regex(/^[1-9][0-9]{0,17}$/, 'not an id') })

function readRoute({ revocations }: RevocationDependencies): Route {
  return defineRoute({
    method: 'GET',
    path: '/internal/revocations/:id',
    zone: 'internal',
    scope: 'revocations:read',
    operationId: 'get-revocation',
    summary: 'One revocation',
    params: idParams,
    answers: { 200: { description: 'As it stands', schema: revocationDocumentSchema } },
    refusals: ['revocation.not_found', 'database.unavailable'],
    handle: async (c, { params }) => answer(c, 200, await revocations.read(params.id)),
  })
}

function liftRoute({ revocations }: RevocationDependencies): Route {
  return defineRoute({
    method: 'DELETE',
    path: '/internal/revocations/:id',
    zone: 'internal',
    scope: 'revocations:write',
    operationId: 'lift-revocation',
    summary: 'Let tokens in again that were revoked',
    description:
      'Takes two principals who differ; who revoked may be one of them. The first is answered 202, and the second has 15 minutes. What was revoked of a secret stays retired.',
    params: idParams,
    query: z.strictObject({ reason }),
    answers: {
      200: { description: 'Lifted', schema: revocationDocumentSchema },
      202: { description: 'Waits for a second principal', schema: revocationDocumentSchema },
    },
    refusals: [
      'revocation.not_found',
      'revocation.not_liftable',
      'access.second_principal_needed',
      'database.unavailable',
    ],
    async handle(c, { params, query }) {
      const lifted = await revocations.lift({
        ...{ id: params.id, reason: query.reason, by: callerOf(c) },
      })
      return answer(c, lifted.state === 'lifted' ? 200 : 202, lifted)
    },
  })
}
