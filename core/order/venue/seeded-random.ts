import { invariant } from '../../invariant.ts'

const wordsPerState = 4

/**
 * xoshiro128** (Blackman and Vigna 2018), its state spread from the seed by SplitMix32: uniform in
 * [0, 1) by steps of 2^-32. The seed is any safe integer, and all there is to record of a run.
 */
export function seededRandom(seed: number): () => number {
  invariant(Number.isSafeInteger(seed), 'a seed is a safe integer')
  const spread = splitMix(mixWords(seed))
  const state = new Uint32Array(wordsPerState).map(spread)
  let a = state[0] ?? 0
  let b = state[1] ?? 0
  let c = state[2] ?? 0
  let d = state[3] ?? 0
  return () => {
    const scaled = Math.imul(rotate(Math.imul(b, 5), 7), 9)
    const shifted = b << 9
    c ^= a
    d ^= b
    b ^= c
    a ^= d
    c ^= shifted
    d = rotate(d, 11)
    return (scaled >>> 0) / 4_294_967_296
  }
}

/** FNV-1a of a text, mixed into a seed: a seed of its own for each order and step. */
export function seedOf(seed: number, text: string): number {
  let hash = 0x811c9dc5 ^ mixWords(seed)
  for (let at = 0; at < text.length; at += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  }
  return hash >>> 0
}

/** Seeds that differ only above the low 32 bits must not start the same sequence. */
function mixWords(seed: number): number {
  return (seed ^ Math.imul(Math.floor(seed / 4_294_967_296), 0x9e3779b1)) >>> 0
}

function splitMix(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x9e3779b9) | 0
    let word = Math.imul(state ^ (state >>> 16), 0x21f0aaad)
    word = Math.imul(word ^ (word >>> 15), 0x735a2d97)
    return (word ^ (word >>> 15)) >>> 0
  }
}

function rotate(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits))
}
