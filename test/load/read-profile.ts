import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import type { Profile } from './lib/profile.ts'

const pair = z.tuple([z.number(), z.number()]).refine(([low, high]) => low <= high, 'low to high')
const field = z.union([
  z.string(),
  z.number(),
  z.strictObject({ oneOf: z.union([z.literal('symbols'), z.array(z.string()).min(1)]) }),
  z.strictObject({ integer: pair, prefix: z.string().optional() }),
  z.strictObject({ cents: pair, when: z.record(z.string(), z.string()).optional() }),
])
const fields = z.record(z.string(), field)
const accepted = z.array(z.int().min(200).max(599)).min(1)

const profileSchema = z.strictObject({
  symbols: z.array(z.string()).min(1),
  gates: z.strictObject({
    failureRatioMax: z.number().positive().max(1),
    p99MsMax: z.number().positive(),
  }),
  classes: z
    .array(
      z.strictObject({
        name: z.string().regex(/^[A-Za-z]\w*$/),
        abstract: z.boolean().optional(),
        extends: z.string().optional(),
        weight: z.number().nonnegative(),
        wait: pair.optional(),
        tasks: z.record(z.string(), z.int().positive()).optional(),
      }),
    )
    .min(1),
  tasks: z.record(
    z.string(),
    z.strictObject({
      method: z.enum(['GET', 'POST', 'DELETE']),
      path: z.string().startsWith('/'),
      name: z.string().min(1),
      tags: z.array(z.string()),
      params: fields.optional(),
      query: fields.optional(),
      body: fields.optional(),
      accepted,
    }),
  ),
  ownCancels: z.strictObject({
    restingMax: z.int().min(1),
    name: z.string().min(1),
    accepted,
  }),
})

const profileFile = join(import.meta.dir, 'profile.json')

export function parseProfile(text: string): Profile {
  return profileSchema.parse(JSON.parse(text))
}

export function readProfile(): Profile {
  return parseProfile(readFileSync(profileFile, 'utf8'))
}
