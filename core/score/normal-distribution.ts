/** Beyond this the series for the centre loses digits and the fraction for the tail has them all. */
const tailFrom = 3
const seriesTermsMax = 200
const fractionTerms = 120
/** Halvings of [-40, 40] until a double cannot be told from its neighbour. */
const halvings = 64
const quantileBound = 40

function density(x: number): number {
  return Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI)
}

/** P(X <= x) of the standard normal distribution, to about 15 digits. */
export function normalCdf(x: number): number {
  if (x > tailFrom) return 1 - upperTail(x)
  if (x < -tailFrom) return upperTail(-x)
  // Phi(x) = 1/2 + phi(x) (x + x^3/3 + x^5/(3*5) + ...)
  let term = x
  let sum = x
  for (let index = 1; index < seriesTermsMax && Math.abs(term) > 1e-18; index += 1) {
    term *= (x * x) / (2 * index + 1)
    sum += term
  }
  return 0.5 + sum * density(x)
}

/** phi(x) / (x + 1/(x + 2/(x + 3/(x + ...)))), from the inside out. */
function upperTail(x: number): number {
  let fraction = x
  for (let index = fractionTerms; index > 0; index -= 1) fraction = x + index / fraction
  return density(x) / fraction
}

/** The x with P(X <= x) = p; p strictly between 0 and 1. */
export function normalQuantile(p: number): number {
  let low = -quantileBound
  let high = quantileBound
  for (let index = 0; index < halvings; index += 1) {
    const middle = (low + high) / 2
    if (normalCdf(middle) < p) low = middle
    else high = middle
  }
  return (low + high) / 2
}
