/** Why there is no plan that may be judged; a closed set. */
const planFaults = [
  'missing',
  'stale',
  'from_the_future',
  'older_than_judged',
  'signature',
  'environment',
  'digest',
  'malformed',
  'too_large',
  'unknown_format',
  'errored',
  'incomplete',
  'empty',
] as const
export type PlanFault = (typeof planFaults)[number]

/**
 * A plan that is not judged. It is a finding of its own, and nothing else is opened or closed by
 * it. `detail` holds nothing out of the plan.
 */
export class PlanRefused extends Error {
  readonly fault: PlanFault
  constructor(fault: PlanFault, detail: string) {
    super(detail)
    this.name = 'PlanRefused'
    this.fault = fault
  }
}
