import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type Answer, runScript } from '#test/support/run-script.ts'

const root = join(import.meta.dir, '../..')

const kinds = ['kubernetes', 'cluster', 'compose', 'workflow', 'docker', 'backend', 'sbom']

/** Denies a key that does not rotate; unknown where that is not known. */
const keyRule = `# METADATA
# title: Keys rotate
# description: A key that does not is found once and works for ever.
# scope: package
# custom:
#   severity: high
#   remediation: Set enable_key_rotation.
#   maps_to: [CKV_AWS_7]
package terraform.a.one

import data.lib.plan
import data.lib.result

judged contains rc.address if some rc in plan.of_type("aws_kms_key")

deny contains result.fail(rego.metadata.chain(), rc.address, "enable_key_rotation", "it does not") if {
	some rc in plan.of_type("aws_kms_key")
	plan.state(rc, "enable_key_rotation") == "known"
	plan.value(rc, ["enable_key_rotation"]) == false
}

unknown contains result.unknown(rego.metadata.chain(), rc.address, "enable_key_rotation", "not known yet") if {
	some rc in plan.of_type("aws_kms_key")
	plan.state(rc, "enable_key_rotation") == "unknown"
}
`

/** Denies whatever holds the word "marked". */
const markRule = (kind: string) => `# METADATA
# title: Nothing is marked
# description: For tests.
# scope: package
# custom:
#   severity: medium
#   remediation: Take the mark away.
#   maps_to: []
package ${kind}.a.one

import data.lib.result

judged contains "document"

deny contains result.fail(rego.metadata.chain(), "document", "mark", "marked") if {
	walk(input, [_, leaf])
	leaf == "marked"
}
`

/** The real main, lib and data, with one rule for each kind, so that no rule of ours is tested here. */
export function standInPolicy(folder: string): string {
  const policy = join(folder, 'policy')
  for (const name of ['lib', 'main', 'given']) {
    cpSync(join(root, 'policy', name), join(policy, name), { recursive: true })
  }
  put(policy, 'terraform/a/one/one.rego', keyRule)
  for (const kind of kinds) put(policy, `${kind}/a/one/one.rego`, markRule(kind))
  const rules = ['terraform', ...kinds].map((kind) => [kind, [`${kind}.a.one`]])
  put(policy, 'given/rules/data.json', JSON.stringify(Object.fromEntries(rules)))
  put(policy, 'given/waivers/data.json', '[]')
  return policy
}

/** Writes a file below a folder; returns its path. */
export function put(folder: string, name: string, text: string): string {
  const path = join(folder, name)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
  return path
}

type Key = { rotates?: boolean | 'unknown'; name?: string; secret?: string }

/** A whole plan for `prod` of one key. */
export function planOf({ rotates = true, name = 'k', secret = '' }: Key = {}) {
  const isKnown = rotates !== 'unknown'
  return {
    format_version: '1.2',
    terraform_version: '1.11.4',
    complete: true,
    errored: false,
    variables: { environment: { value: 'prod' } },
    resource_changes: [
      {
        address: `aws_kms_key.${name}`,
        mode: 'managed',
        type: 'aws_kms_key',
        name,
        change: {
          actions: ['create'],
          before: null,
          after: { description: secret, ...(isKnown ? { enable_key_rotation: rotates } : {}) },
          after_unknown: isKnown ? {} : { enable_key_rotation: true },
        },
      },
    ],
    configuration: {
      root_module: {
        resources: [
          {
            address: `aws_kms_key.${name}`,
            expressions: { enable_key_rotation: { references: ['aws_ssm_parameter.p.value'] } },
          },
        ],
      },
    },
  }
}

/** Runs `ci/policy`, by other rules than ours where a folder is given. */
export async function judge(args: readonly string[], stdin = ''): Promise<Answer> {
  return runScript('policy', args, stdin)
}
