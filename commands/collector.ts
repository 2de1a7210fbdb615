/**
 * How the garbage collector of a long-running process is set, before Bun starts. With its marking
 * threads beside it a gateway under load needs a fifth more CPU and a third more memory; without
 * them it pauses for 3 ms a collection (`test/bench/`).
 *
 * It collects when the heap is 2 times what lived after the last whole collection, where Bun waits
 * for 3 times (1 and this increase, for heaps far below 16 GiB). At 1.7 times a gateway under 1,000 users
 * collected everything more than once a second.
 */
export const collectorEnvironment = {
  BUN_JSC_useConcurrentGC: '0',
  BUN_JSC_heapGrowthMaxIncrease: '1.0',
} as const
