/**
 * Standard normal deviates by Marsaglia's polar method, two at a time: no more of libm than a
 * logarithm and a root.
 */
export function gaussian(random: () => number): () => number {
  let spare = 0
  let hasSpare = false
  return () => {
    if (hasSpare) {
      hasSpare = false
      return spare
    }
    for (;;) {
      const x = 2 * random() - 1
      const y = 2 * random() - 1
      const square = x * x + y * y
      if (square > 0 && square < 1) {
        const factor = Math.sqrt((-2 * Math.log(square)) / square)
        spare = y * factor
        hasSpare = true
        return x * factor
      }
    }
  }
}
