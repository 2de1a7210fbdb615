import { PosternError } from '#core/errors.ts'
import type { JobStore } from '#core/job/job-store.ts'
import { replayResultSchema } from '#core/replay/replay-result.ts'
import { reportHtml, reportStyle } from '#core/replay/report-html.ts'
import { simulateRegimeKind } from '#core/replay/simulate-kind.ts'
import { jobParams, readAnyScope, visibilityOf } from '../parameters.ts'
import { defineRoute, type Route } from '../route.ts'

/** Nothing may be loaded, run, sent or framed; the page's one style is named by its hash. */
const policy = [
  "default-src 'none'",
  `style-src 'sha256-${new Bun.CryptoHasher('sha256').update(reportStyle).digest('base64')}'`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

const headers = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': policy,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
}

export function reportRoutes({ jobs }: { readonly jobs: JobStore }): readonly Route[] {
  return [
    defineRoute({
      method: 'GET',
      path: '/v1/jobs/:id/report',
      zone: 'v1',
      scope: 'jobs:read',
      priority: 'last',
      operationId: 'get-job-report',
      summary: 'The page of a finished simulate-regime job, with its charts',
      description: 'One file that opens offline: no scripts, nothing from elsewhere.',
      params: jobParams,
      answers: { 200: { description: 'The page', mediaType: 'text/html' } },
      refusals: ['job.not_found', 'report.not_found', 'database.unavailable'],
      async handle(c, { params }) {
        const job = await jobs.find(params.id, visibilityOf(c.get('principal'), readAnyScope))
        if (job === undefined) throw new PosternError('job.not_found')
        if (job.kind !== simulateRegimeKind.name || job.state !== 'completed') {
          const detail = 'Only a completed job of the kind simulate-regime has a report.'
          throw new PosternError('report.not_found', { detail })
        }
        return c.body(reportHtml(replayResultSchema.parse(job.result)), 200, headers)
      },
    }),
  ]
}
