const units = [
  { name: 'y', ms: 365 * 86_400_000 },
  { name: 'd', ms: 86_400_000 },
  { name: 'h', ms: 3_600_000 },
  { name: 'min', ms: 60_000 },
  { name: 's', ms: 1_000 },
] as const

/** `4 min`, `2 h 5 min`, `3 d`: two units at most, the second where it says something. */
export function durationText(ms: number): string {
  const whole = Math.max(0, ms)
  if (whole < 1_000) return `${Math.round(whole)} ms`
  if (whole < 10_000) return `${(whole / 1_000).toFixed(1)} s`
  const at = units.findIndex((unit) => whole >= unit.ms)
  const unit = units[at] ?? units[4]
  const count = Math.floor(whole / unit.ms)
  const next = units[at + 1]
  const rest = next === undefined ? 0 : Math.floor((whole % unit.ms) / next.ms)
  const isRestTold = next !== undefined && rest > 0 && count < 10
  return isRestTold ? `${count} ${unit.name} ${rest} ${next.name}` : `${count} ${unit.name}`
}

export function relativeText(atMs: number, nowMs: number): string {
  const agoMs = nowMs - atMs
  if (Math.abs(agoMs) < 1_500) return 'now'
  const at = units.findIndex((unit) => Math.abs(agoMs) >= unit.ms)
  const unit = units[at] ?? units[4]
  const text = `${Math.floor(Math.abs(agoMs) / unit.ms)} ${unit.name}`
  return agoMs > 0 ? `${text} ago` : `in ${text}`
}

const monthNames = [
  'Jan',
  'Feb',
  'Mar',
  'Apr',
  'May',
  'Jun',
  'Jul',
  'Aug',
  'Sep',
  'Oct',
  'Nov',
  'Dec',
]

/** UTC, as logs have it: the time of today, the day of any other. */
export function absoluteText(atMs: number, nowMs: number): string {
  const at = new Date(atMs)
  const [day = '', time = ''] = at.toISOString().split('T')
  if (day === new Date(nowMs).toISOString().slice(0, 10)) return `${time.slice(0, 8)}Z`
  const name = `${at.getUTCDate()} ${monthNames[at.getUTCMonth()]}`
  const isThisYear = at.getUTCFullYear() === new Date(nowMs).getUTCFullYear()
  return isThisYear ? `${name} ${time.slice(0, 5)}Z` : `${name} ${at.getUTCFullYear()}`
}
