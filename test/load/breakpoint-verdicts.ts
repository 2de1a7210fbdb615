import type { Books } from './stage/books.ts'
import { marketVerdicts, type Verdict } from './verdicts.ts'

/** What one rate came to. */
export type Step = {
  /** A second, offered. */
  readonly rate: number
  /** The part of what should have been sent that the client has sent. */
  readonly heldPart: number
  /** A second, answered with 2xx in the step's own time. */
  readonly goodput: number
  readonly refused: number
  readonly errors: number
  readonly p99Ms: number
}

const heldPartMin = 0.95
const keptPartMin = 0.9
const overload = 5
/** What a rate in whole requests and a saturation found by steps leave between them. */
const factorSlack = 0.02

export function isVoid({ heldPart }: Step): boolean {
  return heldPart < heldPartMin
}

/** The most that came of any step that was one. */
export function peakOf(steps: readonly Step[]): number {
  return Math.max(0, ...steps.filter((step) => !isVoid(step)).map(({ goodput }) => goodput))
}

export type Curve = {
  readonly steps: readonly Step[]
  readonly saturation: number
  readonly books: Books
}

/** Of a market that denied most, goodput is what it costs to deny: a denied order is a 201 too. */
export function curveVerdicts({ steps, saturation, books }: Curve): readonly Verdict[] {
  return [...breakpointVerdicts(steps, saturation), ...marketVerdicts(books)]
}

/** Goodput at five times saturation holds what it was at a peak that was seen before it. */
export function breakpointVerdicts(steps: readonly Step[], saturation: number): readonly Verdict[] {
  const isOver = ({ rate }: Step) => rate >= saturation * overload * (1 - factorSlack)
  const over = steps.filter(isOver)
  const weak = over.filter(isVoid)
  const goodput = Math.min(...over.filter((step) => !isVoid(step)).map((step) => step.goodput))
  const peak = peakOf(steps)
  const below = steps.filter((step) => !isOver(step) && !isVoid(step))
  const verdicts: Verdict[] = [
    {
      name: `steps at ${overload} times saturation that the client held`,
      seen: `${over.length - weak.length} of ${over.length}`,
      required: `all, at ${heldPartMin * 100} % of their rate or above`,
      fate: over.length > 0 && weak.length === 0 ? 'met' : 'void',
    },
    peakVerdict(below, saturation, peak),
  ]
  if (!Number.isFinite(goodput) || peak === 0) return verdicts
  return [
    ...verdicts,
    {
      name: `goodput at ${overload} times saturation`,
      seen: `${goodput.toFixed(0)}/s, ${((goodput / peak) * 100).toFixed(1)} % of the peak of ${peak.toFixed(0)}/s`,
      required: `at least ${keptPartMin * 100} %`,
      fate: goodput >= peak * keptPartMin ? 'met' : 'missed',
    },
  ]
}

/** A step that is held against itself has kept all; and goodput that still rises has no peak yet. */
function peakVerdict(below: readonly Step[], saturation: number, peak: number): Verdict {
  const peakBelow = peakOf(below)
  const rateMax = Math.max(0, ...below.map(({ rate }) => rate))
  const isReached = rateMax >= saturation * (1 - factorSlack)
  return {
    name: `peak below ${overload} times saturation`,
    seen: `${peakBelow.toFixed(0)}/s at up to ${rateMax.toFixed(0)}/s offered`,
    required: `above 0 and ${keptPartMin * 100} % of that of all, offered ${saturation.toFixed(0)}/s or more`,
    fate: peakBelow > 0 && isReached && peakBelow >= peak * keptPartMin ? 'met' : 'void',
  }
}

export function stepLine(step: Step): string {
  const figures = [
    `${step.rate.toFixed(0)}/s offered`,
    `${(step.heldPart * 100).toFixed(1)} % held`,
    `${step.goodput.toFixed(0)}/s good`,
    `${step.refused.toFixed(0)}/s refused`,
    `${step.errors.toFixed(1)}/s errors`,
    `p99 ${step.p99Ms.toFixed(0)} ms`,
  ]
  return `${isVoid(step) ? 'VOID ' : ''}${figures.join(', ')}`
}
