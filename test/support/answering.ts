/** Milliseconds to start in, on a machine that does much else. */
const answerMsMax = 30_000
/** Of one attempt: what is frozen takes a connection and says nothing. */
const attemptMsMax = 2_000
const lookMs = 20

/** Resolves once something answers there with 2xx; throws when it does not within half a minute. */
export async function answering(url: string): Promise<void> {
  const giveUpAt = performance.now() + answerMsMax
  for (;;) {
    const signal = AbortSignal.timeout(attemptMsMax)
    const answer = await fetch(url, { signal }).catch(() => undefined)
    await answer?.arrayBuffer()
    if (answer?.ok === true) return
    if (performance.now() > giveUpAt) throw new Error(`${url} did not answer in ${answerMsMax} ms`)
    await Bun.sleep(lookMs)
  }
}
