import type { ComponentType } from 'preact'
import { AuditView } from './audit-view.tsx'
import { DriftView } from './drift-view.tsx'
import { HealthView } from './health-view.tsx'
import { JobsView } from './jobs-view.tsx'
import { OrdersView } from './orders-view.tsx'
import { QueuesView } from './queues-view.tsx'
import { SchedulesView } from './schedules-view.tsx'
import { ScoresView } from './scores-view.tsx'
import { SecretsView } from './secrets-view.tsx'

export type View = {
  readonly name: string
  readonly title: string
  /** Behind `g`. */
  readonly key: string
  readonly component: ComponentType<{ readonly rest: string }>
}

/** In the order of the navigation. */
export const views: readonly View[] = [
  { name: 'health', title: 'Health', key: 'h', component: HealthView },
  { name: 'queues', title: 'Queues', key: 'q', component: QueuesView },
  { name: 'jobs', title: 'Jobs', key: 'j', component: JobsView },
  { name: 'orders', title: 'Orders', key: 'o', component: OrdersView },
  { name: 'scores', title: 'Scores', key: 's', component: ScoresView },
  { name: 'schedules', title: 'Schedules', key: 'c', component: SchedulesView },
  { name: 'secrets', title: 'Secrets', key: 'k', component: SecretsView },
  { name: 'drift', title: 'Drift', key: 'd', component: DriftView },
  { name: 'audit', title: 'Audit', key: 'a', component: AuditView },
]
