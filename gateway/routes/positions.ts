import { z } from 'zod'
import { type PositionReads, positionDocumentSchema } from '#core/order/desk/position-reads.ts'
import { answer } from '../answer.ts'
import { accountParameter } from '../desk-parameters.ts'
import { defineRoute, type Route } from '../route.ts'
import { symbolSchema } from './orders.ts'

export function positionRoutes({
  positions,
}: {
  readonly positions: PositionReads
}): readonly Route[] {
  return [
    defineRoute({
      method: 'GET',
      path: '/v1/positions',
      zone: 'v1',
      scope: 'orders:read',
      operationId: 'list-positions',
      summary: 'What is held, at cost and at the market',
      description:
        'By average cost. `mark_price` is the mid of a quote of a sane spread, else the last price, as `mark_source` says; without one the figures that need it are null.',
      query: z.strictObject({ account: accountParameter, symbol: symbolSchema.optional() }),
      answers: {
        200: {
          description: 'The positions',
          schema: z.strictObject({ positions: z.array(positionDocumentSchema) }),
        },
      },
      refusals: ['account.not_found', 'database.unavailable'],
      async handle(c, { query: { account, symbol } }) {
        const found = await positions.list(c.get('principal'), { account, symbol })
        return answer(c, 200, { positions: found })
      },
    }),
  ]
}
