const msOf = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/** So many of one of the units: 90s, 15m, 2h or 7d; undefined for anything else. */
export function parseSpanMs(
  text: string,
  units: readonly (keyof typeof msOf)[],
): number | undefined {
  const [, digits, given] = /^([1-9]\d{0,4})([a-z])$/.exec(text) ?? []
  const unit = units.find((one) => one === given)
  return unit === undefined ? undefined : Number(digits) * msOf[unit]
}
