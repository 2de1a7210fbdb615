/** Messages a second of the calm market, and what the desk takes in. */
const messagesPerSecond = 1_000
const takenPerSecond = 3_000
/** A feed drops what is older than this for newer prices, so that it never falls behind further. */
const delayMsMax = 4_000

export type DelayOptions = {
  /** Messages, times the calm market's. */
  readonly load: number
  readonly barMs: number
  readonly random: () => number
}

/**
 * One queue before the desk: what comes in beyond what is taken waits. Messages come in bursts of
 * up to twice the load. Milliseconds that the newest message waits at the end of each bar.
 */
export function feedDelay({ load, barMs, random }: DelayOptions): () => number {
  let waiting = 0
  const waitingMax = (delayMsMax / 1_000) * takenPerSecond
  return () => {
    const burst = 2 * random()
    const surplus = ((messagesPerSecond * load * burst - takenPerSecond) * barMs) / 1_000
    waiting = Math.min(waitingMax, Math.max(0, waiting + surplus))
    return Math.round((waiting / takenPerSecond) * 1_000)
  }
}
