import { rotationSteps } from '#core/secret/rotation/rotation.ts'
import { type KillPlan, type KillPoint, type Kind, kinds } from './rotation-kill-plan.ts'

type Row = {
  readonly kills: Map<string, number>
  readonly fates: Map<KillPlan['fate'], number>
  violations: number
}

const nameWidth = 17
const cellWidth = 11

/** Kills by kind and step: before it, within it, while the store was written. */
export function killTable() {
  const rows = new Map<Kind, Row>(
    kinds.map((kind) => [kind, { kills: new Map(), fates: new Map(), violations: 0 }]),
  )
  const rowOf = (kind: Kind) => rows.get(kind)
  const whens = ['before', 'within', 'writing'] as const

  return {
    count(kind: Kind, { step, when }: KillPoint) {
      const kills = rowOf(kind)?.kills
      kills?.set(`${step} ${when}`, (kills.get(`${step} ${when}`) ?? 0) + 1)
    },
    ended(kind: Kind, fate: KillPlan['fate'], violations: number) {
      const row = rowOf(kind)
      if (row === undefined) return
      row.fates.set(fate, (row.fates.get(fate) ?? 0) + 1)
      row.violations += violations
    },
    kills: () =>
      [...rows.values()].flatMap(({ kills }) => [...kills.values()]).reduce((a, b) => a + b, 0),
    lines(): readonly string[] {
      const head = [
        'kind'.padEnd(nameWidth),
        ...rotationSteps.map((step) => step.padEnd(cellWidth)),
      ]
      const body = [...rows].map(([kind, { kills, fates, violations }]) => {
        const cells = rotationSteps.map((step) =>
          whens
            .map((when) => kills.get(`${step} ${when}`) ?? 0)
            .join('/')
            .padEnd(cellWidth),
        )
        const runs = [...fates].map(([fate, count]) => `${count} ${fate}`).join(', ')
        return `${kind.padEnd(nameWidth)}${cells.join('')}${runs}; ${violations} violations`
      })
      return ['kills before / within / while writing', `${head.join('')}runs as planned`, ...body]
    },
  }
}
