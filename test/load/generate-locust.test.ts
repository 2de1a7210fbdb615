import { expect, test } from 'bun:test'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { workloads } from './flags.ts'
import { locustFile, locustSource } from './generate-locust.ts'
import { readProfile } from './read-profile.ts'

test('trading_load.py is what the profile makes; else run test/load/generate-locust.ts', () => {
  expect(readFileSync(locustFile, 'utf8')).toBe(locustSource(readProfile()))
})

test('a change of the profile is a change of the file', () => {
  const profile = readProfile()
  const classes = profile.classes.map((one) => ({ ...one, weight: one.weight + 1 }))
  expect(locustSource({ ...profile, classes })).not.toBe(locustSource(profile))
})

test('every workload has its scenario', () => {
  const files = readdirSync(join(import.meta.dir, 'scenarios'))
  expect(workloads.filter((name) => !files.includes(`${name}.ts`))).toEqual([])
})
