/**
 * How the garbage collector of a long-running process is set, before Bun starts. With its marking
 * threads beside it a gateway under load needs a fifth more CPU and a third more memory; without
 * them it pauses for 3 ms a collection (`test/bench/`).
 */
export const collectorEnvironment = { BUN_JSC_useConcurrentGC: '0' } as const
