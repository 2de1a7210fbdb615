/** Random numbers that a failing test can repeat: name the seed in its message. */
export function seededRandom(seed = Math.trunc(Math.random() * 2 ** 32)) {
  let state = seed
  const random = (): number => {
    // mulberry32
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  return { seed, random, below: (end: number) => Math.floor(random() * end) }
}
