import { z } from 'zod'
import { errorCatalog, PosternError } from '#core/errors.ts'
import { answer } from '../answer.ts'
import { defineRoute, type Route } from '../route.ts'

const problemTypeDocument = z.strictObject({
  type: z.string(),
  code: z.string(),
  status: z.int(),
  title: z.string(),
})
problemTypeDocument.register(z.globalRegistry, { title: 'ProblemType' })

const problemTypes = new Map(
  Object.entries(errorCatalog).map(([code, { status, title }]) => [
    code,
    { type: `/problems/${code}`, code, status, title },
  ]),
)

/** What the `type` of a problem resolves to: documents, so the allowlist is their only guard. */
export function problemRoutes(): readonly Route[] {
  return [
    defineRoute({
      method: 'GET',
      path: '/problems',
      zone: 'v1',
      scope: undefined,
      operationId: 'list-problem-types',
      summary: 'Every problem type',
      answers: {
        200: {
          description: 'The catalogue',
          schema: z.strictObject({ problems: z.array(problemTypeDocument) }),
        },
      },
      refusals: [],
      handle: (c) => answer(c, 200, { problems: [...problemTypes.values()] }),
    }),
    defineRoute({
      method: 'GET',
      path: '/problems/:code',
      zone: 'v1',
      scope: undefined,
      operationId: 'read-problem-type',
      summary: 'One problem type',
      params: z.strictObject({ code: z.string() }),
      answers: { 200: { description: 'The type', schema: problemTypeDocument } },
      refusals: ['route.not_found'],
      handle(c, { params }) {
        const problemType = problemTypes.get(params.code)
        if (problemType === undefined) throw new PosternError('route.not_found')
        return answer(c, 200, problemType)
      },
    }),
  ]
}
