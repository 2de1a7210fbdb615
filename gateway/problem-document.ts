import { z } from 'zod'
import { type ErrorCode, errorCatalog } from '#core/errors.ts'

const pointedErrors = z.array(
  z.object({ pointer: z.string().describe('RFC 6901'), detail: z.string() }),
)

const isErrorCode = (text: string): text is ErrorCode => Object.hasOwn(errorCatalog, text)

/** An error's answer (RFC 9457), as `problem.ts` renders it. */
export const problemDocument = z
  .object({
    type: z.string().describe('`/problems/<code>`'),
    title: z.string(),
    status: z.int(),
    code: z.enum(Object.keys(errorCatalog).filter(isErrorCode)),
    detail: z.string().optional(),
    instance: z.string().optional(),
    requestId: z.string().optional(),
    errors: pointedErrors.optional(),
  })
  .meta({ title: 'Problem' })

/** Why a job has failed or was cancelled, kept with it. */
export const jobProblemDocument = z
  .object({
    type: z.string().describe('`/problems/<code>`'),
    title: z.string(),
    status: z.int(),
    detail: z.string().optional(),
    errors: pointedErrors.optional(),
  })
  .meta({ title: 'JobProblem' })
