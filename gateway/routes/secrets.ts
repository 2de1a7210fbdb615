import { z } from 'zod'
import { type SecretReads, secretDocumentSchema } from '#core/secret/rotation/secret-reads.ts'
import { answer } from '../answer.ts'
import { defineRoute, type Route } from '../route.ts'

/** What is known of the secrets that processes use, for operators: never a value. */
export function secretRoutes({ secrets }: { readonly secrets: SecretReads }): readonly Route[] {
  return [
    defineRoute({
      method: 'GET',
      path: '/internal/secrets',
      zone: 'internal',
      scope: 'secrets:read',
      operationId: 'list-secrets',
      summary: 'Secrets: versions, due dates, and which process has proved what',
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
    }),
  ]
}
