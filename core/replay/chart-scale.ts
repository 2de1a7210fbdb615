export type Scale = {
  readonly low: number
  readonly high: number
  readonly ticks: readonly number[]
  /** Decimals that tell two ticks apart. */
  readonly places: number
}

/** Steps of 1, 2, 2.5 and 5 times a power of ten, about `count` of them, with the range inside. */
export function niceScale(low: number, high: number, count: number): Scale {
  const span = high > low ? high - low : Math.max(Math.abs(high) * 0.01, 1e-6)
  const rough = span / count
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = ([1, 2, 2.5, 5].find((factor) => factor * power >= rough) ?? 10) * power
  const first = Math.floor(low / step + 1e-9)
  const last = Math.max(first + 1, Math.ceil(high / step - 1e-9))
  const ticks = Array.from({ length: last - first + 1 }, (_, index) => (first + index) * step)
  return { low: first * step, high: last * step, ticks, places: placesOf(step) }
}

function placesOf(step: number): number {
  for (let places = 0; places < 8; places += 1) {
    const scaled = step * 10 ** places
    if (Math.abs(scaled - Math.round(scaled)) < 1e-6) return places
  }
  return 8
}

/** A gain with its sign, as a loss has one anyway. */
export function signedPercent(percent: number): string {
  return `${percent > 0 ? '+' : ''}${numberText(percent, 2)} %`
}

/** With a thin space between thousands, and a minus sign that is one. */
export function numberText(value: number, places: number): string {
  const text = Math.abs(value).toFixed(places)
  const [whole = '0', fraction] = text.split('.')
  const grouped = whole.replace(/\B(?=(?:\d{3})+$)/g, '\u2009')
  const isNegative = value < 0 && Number(text) !== 0
  return `${isNegative ? '\u2212' : ''}${grouped}${fraction === undefined ? '' : `.${fraction}`}`
}
