import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'

const folder = join(import.meta.dir, '../../policy/fixtures/drift')

const expectSchema = z.strictObject({
  verdict: z.enum(['clean', 'noise', 'drift', 'error']),
  findings: z.array(z.tuple([z.string(), z.string(), z.enum(['drift', 'change', 'gone'])])),
})
export type Expected = z.infer<typeof expectSchema>

/** Plans of the real provider, each with what it must come to; the Rego policy judges the same. */
export const planCases: readonly string[] = readdirSync(folder)
  .filter((name) => existsSync(join(folder, name, 'expect.json')))
  .sort()

export function readCase(name: string): { readonly plan: Buffer; readonly expected: Expected } {
  return {
    plan: readFileSync(join(folder, name, 'plan.json')),
    expected: expectSchema.parse(
      JSON.parse(readFileSync(join(folder, name, 'expect.json'), 'utf8')),
    ),
  }
}

/** A plan as Terraform would write it, with what a test is about. */
export function planOf(changes: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return {
    ...{ format_version: '1.2', complete: true, errored: false },
    resource_changes: [resource('aws_vpc.main', ['no-op'], {}, {})],
    ...changes,
  }
}

export function resource(
  address: string,
  actions: readonly string[],
  before: unknown,
  after: unknown,
  more: Readonly<Record<string, unknown>> = {},
) {
  const [type = ''] = address.replace(/^(?:module\.[^.]+\.)*/, '').split('.')
  const change = { actions, before, after, after_unknown: {}, ...more }
  return { address, mode: 'managed', type, change }
}

export function bytesOf(value: unknown): Uint8Array {
  return new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value))
}
