import { z } from 'zod'
import { incidentClasses } from '#core/incident/incident.ts'
import {
  type IncidentReads,
  incidentFilters,
  incidentSchema,
  recoverySchema,
  windowDays,
  windowDaysMax,
} from '#core/incident/incident-reads.ts'
import { listPageMax } from '#core/job/limits.ts'
import { answer } from '../answer.ts'
import { integerParameter } from '../parameters.ts'
import { defineRoute, type Route } from '../route.ts'

const pageDefault = 50

/** When the service could not serve, for operators. */
export function incidentRoutes({
  incidents,
}: {
  readonly incidents: IncidentReads
}): readonly Route[] {
  return [
    defineRoute({
      method: 'GET',
      path: '/internal/incidents',
      zone: 'internal',
      scope: 'incidents:read',
      operationId: 'list-incidents',
      summary: 'When the service could not serve, told last first, and how fast it recovered',
      description:
        'An incident begins with the first failing sight and ends with the first good one of the run that closed it. What happened while there was no database is told once it is back, with its true times. The summary covers incidents that began within `days`, whatever else is asked for; `mttr_seconds` is null where no recovery was measured.',
      query: z.strictObject({
        state: z.enum(incidentFilters).default('all'),
        class: z.enum(incidentClasses).optional(),
        days: integerParameter(1, windowDaysMax).default(windowDays),
        limit: integerParameter(1, listPageMax).default(pageDefault),
        cursor: z.uuid().optional(),
      }),
      answers: {
        200: {
          description: 'A page of incidents, and what was measured of each class',
          schema: z.strictObject({
            incidents: z.array(incidentSchema),
            next: z.string().optional(),
            summary: z.strictObject({ days: z.int(), classes: z.array(recoverySchema) }),
          }),
        },
      },
      refusals: ['database.unavailable'],
      async handle(c, { query: { days, ...query } }) {
        const [{ incidents: shown, next }, classes] = await Promise.all([
          incidents.list(query),
          incidents.recoveries(days),
        ])
        const summary = { days, classes }
        return answer(c, 200, {
          ...{ incidents: shown, summary },
          ...(next === undefined ? {} : { next }),
        })
      },
    }),
  ]
}
