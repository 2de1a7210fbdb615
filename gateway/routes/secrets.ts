import { z } from 'zod'
import { PosternError } from '#core/errors.ts'
import { listPageMax } from '#core/job/limits.ts'
import {
  type Revocations,
  revocationDocumentSchema,
} from '#core/revocation/postgres-revocations.ts'
import { personOf } from '#core/revocation/revocation.ts'
import {
  rotationDocument,
  rotationDocumentSchema,
} from '#core/secret/rotation/rotation-document.ts'
import type { RotationJournal } from '#core/secret/rotation/rotation-journal.ts'
import { type SecretReads, secretDocumentSchema } from '#core/secret/rotation/secret-reads.ts'
import { isSecretName } from '#core/secret/secret-reference.ts'
import { answer } from '../answer.ts'
import { jsonBody } from '../body.ts'
import { callerOf } from '../context.ts'
import { integerParameter } from '../parameters.ts'
import { defineRoute, type Route } from '../route.ts'

/** A name has slashes. */
const namePattern = '[a-z0-9/_-]+'
const secretPath = `/internal/secrets/:name{${namePattern}}`
const historyDefault = 20
/** Of a person's words. */
const reasonCharactersMax = 500

type SecretDependencies = {
  readonly secrets: SecretReads
  readonly rotations: Pick<RotationJournal, 'pointer' | 'plan' | 'history' | 'askRollBack'>
  readonly revocations: Pick<Revocations, 'revoke'>
}

/** The secrets that processes use, for operators: never a value. */
export function secretRoutes(deps: SecretDependencies): readonly Route[] {
  return [
    listRoute(deps),
    historyRoute(deps),
    rotateRoute(deps),
    rollBackRoute(deps),
    revokeRoute(deps),
  ]
}

const nameParams = z.strictObject({
  name: z
    .string()
    .refine(isSecretName, 'not a name of a secret')
    .meta({ pattern: `^${namePattern}$` }),
})
const reason = z.string().trim().min(1).max(reasonCharactersMax)

function listRoute({ secrets }: SecretDependencies): Route {
  return defineRoute({
    method: 'GET',
    path: '/internal/secrets',
    zone: 'internal',
    scope: 'secrets:read',
    operationId: 'list-secrets',
    summary: 'Secrets: versions, ages, due dates, who used them, and who has proved what',
    answers: {
      200: {
        description: 'By name; never a value',
        schema: z.strictObject({ secrets: z.array(secretDocumentSchema) }),
      },
    },
    refusals: ['database.unavailable'],
    async handle(c) {
      return answer(c, 200, { secrets: await secrets.list() })
    },
  })
}

function historyRoute({ rotations }: SecretDependencies): Route {
  return defineRoute({
    method: 'GET',
    path: `${secretPath}/rotations`,
    zone: 'internal',
    scope: 'secrets:read',
    operationId: 'list-rotations',
    summary: 'The rotations of a secret, newest first',
    params: nameParams,
    query: z.strictObject({ limit: integerParameter(1, listPageMax).default(historyDefault) }),
    answers: {
      200: {
        description: 'Each with the step it stands at, or how it ended',
        schema: z.strictObject({ rotations: z.array(rotationDocumentSchema) }),
      },
    },
    refusals: ['secret.unknown', 'database.unavailable'],
    async handle(c, { params: { name }, query }) {
      await refuseUnknown(rotations, name)
      const history = await rotations.history(name, query.limit)
      return answer(c, 200, { rotations: history.map(rotationDocument) })
    },
  })
}

function rotateRoute({ rotations }: SecretDependencies): Route {
  return defineRoute({
    method: 'POST',
    path: `${secretPath}/rotate`,
    zone: 'internal',
    scope: 'secrets:write',
    operationId: 'rotate-secret',
    summary: 'Give a secret its next version, while everything goes on',
    description:
      'Opens a rotation; the rotator takes it to its end. Nothing is retired before every live process has logged in with the new version.',
    params: nameParams,
    answers: { 202: { description: 'Opened', schema: rotationDocumentSchema } },
    refusals: [
      ...(['secret.unknown', 'secret.no_rotation', 'secret.rotation_open'] as const),
      'database.unavailable',
    ],
    async handle(c, { params: { name } }) {
      const pointer = await rotations.pointer(name)
      if (pointer?.kind === undefined) throw unrotatable(name, pointer !== undefined)
      const rotation = await rotations.plan(name, personOf(callerOf(c)))
      return answer(c, 202, rotationDocument(rotation))
    },
  })
}

function rollBackRoute({ rotations }: SecretDependencies): Route {
  return defineRoute({
    method: 'POST',
    path: `${secretPath}/rollback`,
    zone: 'internal',
    scope: 'secrets:write',
    operationId: 'roll-back-secret',
    summary: 'Go back to the version before, as long as nothing was retired',
    params: nameParams,
    body: jsonBody(z.strictObject({ reason }), { example: { reason: 'in the wrong hour' } }),
    answers: { 202: { description: 'The rotator goes back', schema: rotationDocumentSchema } },
    refusals: ['secret.unknown', 'secret.rotation_overtaken', 'database.unavailable'],
    async handle(c, { params: { name }, body }) {
      await refuseUnknown(rotations, name)
      const [open] = await rotations.history(name, 1)
      if (open?.step !== 'settle' || open.promotedAt === undefined) {
        const detail = `Nothing of ${name} can be rolled back; rotate forward instead.`
        throw new PosternError('secret.rotation_overtaken', { detail })
      }
      const by = personOf(callerOf(c))
      const asked = await rotations.askRollBack(open, { reason: body.reason, by })
      return answer(c, 202, rotationDocument(asked))
    },
  })
}

const revokeBody = z
  .strictObject({
    version: z
      .string()
      .regex(/^\S{1,128}$/, 'no version of a store')
      .optional()
      .meta({ description: 'Which leaked; without it the one in force' }),
    login: z
      .string()
      .regex(/^\S{1,128}$/, 'no login')
      .optional()
      .meta({ description: 'Or the login that leaked' }),
    reason,
  })
  .refine(({ version, login }) => version === undefined || login === undefined, {
    path: ['login'],
    error: 'a version or a login, not both',
  })

function revokeRoute({ rotations, revocations }: SecretDependencies): Route {
  return defineRoute({
    method: 'POST',
    path: `${secretPath}/revoke`,
    zone: 'internal',
    scope: 'revocations:write',
    operationId: 'revoke-secret',
    summary: 'Take a version or a login of a secret out of use, everywhere, at once',
    description:
      'A version in force is rotated first, and waits 2 s for processes to change over, no longer. `effective_at` of the revocation says since when it is refused, open sessions included.',
    params: nameParams,
    body: jsonBody(revokeBody, { example: { version: '7', reason: 'in a screenshot' } }),
    answers: { 200: { description: 'In force', schema: revocationDocumentSchema } },
    refusals: ['secret.unknown', 'secret.no_rotation', 'database.unavailable'],
    async handle(c, { params: { name }, body }) {
      const pointer = await rotations.pointer(name)
      if (pointer?.kind === undefined) throw unrotatable(name, pointer !== undefined)
      const { version = pointer.current, login } = body
      const named =
        login === undefined
          ? ({ class: 'secret', value: `${name}@${version}` } as const)
          : ({ class: 'credential', value: `${name}:${login}` } as const)
      const revoked = await revocations.revoke({
        ...{ ...named, issuer: '', until: undefined, reason: body.reason, by: callerOf(c) },
      })
      return answer(c, 200, revoked)
    },
  })
}

async function refuseUnknown(
  rotations: Pick<RotationJournal, 'pointer'>,
  name: string,
): Promise<void> {
  if ((await rotations.pointer(name)) === undefined) throw unrotatable(name, false)
}

function unrotatable(name: string, isKnown: boolean): PosternError {
  if (!isKnown) {
    return new PosternError('secret.unknown', { detail: `No process has used ${name} yet.` })
  }
  const detail = `Nobody has said how ${name} is rotated; see \`postern secrets set-rotation\`.`
  return new PosternError('secret.no_rotation', { detail })
}
