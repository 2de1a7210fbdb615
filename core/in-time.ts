/** Rejects with what `late` makes when the answer has not come within `ms`; the work itself goes on. */
export async function inTime<Answer>(
  asked: Promise<Answer>,
  ms: number,
  late: () => Error,
): Promise<Answer> {
  const { promise, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(late()), ms)
  try {
    return await Promise.race([asked, promise])
  } finally {
    clearTimeout(timer)
  }
}
