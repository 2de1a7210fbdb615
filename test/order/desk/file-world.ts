import { afterAll, afterEach, beforeEach, expect, setDefaultTimeout } from 'bun:test'
import type { Sql } from 'postgres'
import { deskFaults } from './desk-faults.ts'

/** Races of many rounds take seconds on a slow machine. */
const testMsMax = 60_000

type World = { clear(): Promise<void>; close(): Promise<unknown> }

/** The world of the test file that calls: empty before each test, closed after the last. */
export async function fileWorld<Opened extends World>(
  open: () => Promise<Opened>,
): Promise<Opened> {
  setDefaultTimeout(testMsMax)
  const world = await open()
  afterAll(() => world.close())
  beforeEach(() => world.clear())
  return world
}

/** Call it after every `afterEach` that ends something: they run in the order of their calls. */
export function expectNoFaultsAfterEach({ sql }: { readonly sql: Sql }): void {
  afterEach(async () => {
    expect(await deskFaults(sql)).toEqual([])
  })
}
