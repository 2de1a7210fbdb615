/** Longer runs are several. */
const secondsMax = 7 * 86_400

/** Seconds of a text such as `90`, `300s` or `1h30m`; undefined for what Locust refuses as well. */
export function parseRunTime(text: string): number | undefined {
  const parts = /^(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?$/.exec(text)
  const isPlain = /^\d+$/.test(text)
  if (text === '' || (parts === null && !isPlain)) return undefined
  const [, hours, minutes, seconds] = parts ?? []
  const sum = isPlain
    ? Number(text)
    : Number(hours ?? 0) * 3_600 + Number(minutes ?? 0) * 60 + Number(seconds ?? 0)
  return sum >= 1 && sum <= secondsMax ? sum : undefined
}
