import { seededRandom } from '#core/order/venue/seeded-random.ts'
import type { RotationStep } from '#core/secret/rotation/rotation.ts'

export const kinds = [
  ...(['postgres-role', 'redis-user', 'api-key', 'api-key hook'] as const),
  ...(['elasticache-user', 'issuer-key', 'webhook-key', 'audit-key'] as const),
] as const
export type Kind = (typeof kinds)[number]

/**
 * `before`: as soon as the journal shows the step; `within`: so many milliseconds later; `writing`:
 * as soon as the store's file is being replaced.
 */
export type KillPoint = {
  readonly step: RotationStep
  readonly when: 'before' | 'within' | 'writing'
  readonly delayMs: number
  /** On the way back, once more at a step that it has been at before. */
  readonly isBack: boolean
}

export type KillPlan = {
  readonly seed: number
  readonly kind: Kind
  readonly fate: 'done' | 'refused' | 'rolled back'
  readonly points: readonly KillPoint[]
  /** Rotators at once; one is killed at a time. */
  readonly rotators: 1 | 2
  /** Answers of target and journal that are lost. */
  readonly losses: number
  /** Else by the command. */
  readonly isAskedOverHttp: boolean
  /** The rotator logs in with what it rotates. */
  readonly isFollowing: boolean
}

type Shape = Pick<KillPlan, 'fate' | 'rotators' | 'losses'> & { readonly points: readonly string[] }

/** Eight for each kind: every step is met before it, within it and, where it writes, writing. */
const shapes: readonly Shape[] = [
  { fate: 'done', rotators: 1, losses: 0, points: ['stage', 'set', 'test', 'promote'] },
  { fate: 'done', rotators: 1, losses: 0, points: ['stage+', 'set+', 'test+', 'promote+'] },
  { fate: 'done', rotators: 2, losses: 2, points: ['stage*', 'settle', 'retire', 'retire+'] },
  { fate: 'done', rotators: 1, losses: 3, points: ['set+', 'settle+', 'retire+', 'retire*'] },
  { fate: 'refused', rotators: 1, losses: 0, points: ['stage+', 'test', 'undo', 'undo+'] },
  { fate: 'rolled back', rotators: 1, losses: 0, points: ['settle', 'settle<', 'undo', 'undo*'] },
  {
    fate: 'done',
    rotators: 2,
    losses: 3,
    points: ['stage', 'set', 'promote+', 'settle*', 'retire'],
  },
  { fate: 'rolled back', rotators: 2, losses: 2, points: ['settle', 'settle<+', 'undo+', 'undo+'] },
]

/** Everything about a run follows from its seed. */
export function killPlan(seed: number): KillPlan {
  const random = seededRandom(seed)
  const kind = kinds[seed % kinds.length] ?? kinds[0]
  const shape = shapes[Math.floor(seed / kinds.length) % shapes.length] ?? shapes[0]
  if (shape === undefined) throw new Error('there are shapes')
  const points = shape.points.map((text) => pointOf(kind, text, random))
  return {
    ...{ ...shape, seed, kind, points },
    isAskedOverHttp: random() < 0.5,
    isFollowing: kind === 'postgres-role' && random() < 0.4,
  }
}

/** Milliseconds that a step takes here, about; longer where sessions end, or processes log in anew. */
const stepMs = 60
const settleMs = 250
const endingMs = 2_500
const loginMs = new Map([
  ['settle', settleMs],
  ['retire', endingMs],
  ['undo', endingMs],
])
const stepForm = /^([a-z]+)(<?)([+*]?)$/

function pointOf(kind: Kind, text: string, random: () => number): KillPoint {
  const [, step = '', back, how] = stepForm.exec(text) ?? []
  const longest = isLogin(kind) ? (loginMs.get(step) ?? stepMs) : stepMs
  const when = how === '+' ? 'within' : how === '*' ? 'writing' : 'before'
  return { step: stepOf(step), when, isBack: back === '<', delayMs: random() * longest }
}

export function isLogin(kind: Kind): boolean {
  return kind === 'postgres-role' || kind === 'redis-user' || kind === 'elasticache-user'
}

const steps = ['stage', 'set', 'test', 'promote', 'settle', 'retire', 'undo'] as const

function stepOf(text: string): RotationStep {
  const step = steps.find((each) => each === text)
  if (step === undefined) throw new Error(`no step ${text}`)
  return step
}
