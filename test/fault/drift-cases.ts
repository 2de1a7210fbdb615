import type { Expected } from '#test/drift/plan-fixtures.ts'

type Finding = Expected['findings'][number]

/** What somebody does (`drift-by-hand.py`), what it must be found as, and how it is taken back. */
export type DriftCase = {
  readonly name: string
  readonly findings: readonly Finding[]
  /** `hand`: no apply mends it, because Terraform does not own it. */
  readonly back: 'hand' | 'apply'
  /** Made anew by the apply, it fills in what a settle takes over. */
  readonly settles?: true
}

const one = (
  name: string,
  finding: Finding | undefined,
  back: DriftCase['back'] = 'apply',
): DriftCase => ({ name, findings: finding === undefined ? [] : [finding], back })

const gone = (name: string, address: string): DriftCase => ({
  ...one(name, [address, '*', 'gone']),
  settles: true,
})

const lock = 'aws_s3_bucket_object_lock_configuration.audit'

export const driftCases: readonly DriftCase[] = [
  one('unmanaged-bucket', undefined, 'hand'),
  one('open-port', ['aws_security_group.app', 'ingress', 'drift'], 'hand'),
  one('bucket-policy', ['aws_s3_bucket.logs', 'policy', 'drift'], 'hand'),
  one('key-policy', ['aws_kms_key.data', 'policy', 'drift'], 'hand'),
  one('inline-policy', ['aws_iam_role.task', 'inline_policy', 'drift'], 'hand'),
  one('foreign-policy', ['aws_iam_role.task', 'managed_policy_arns', 'drift'], 'hand'),
  one('key-rotation', ['aws_kms_key.data', 'enable_key_rotation', 'drift']),
  one('trust-policy', ['aws_iam_role.task', 'assume_role_policy', 'drift']),
  one('log-retention', ['aws_cloudwatch_log_group.app', 'retention_in_days', 'drift']),
  one('versioning', ['aws_s3_bucket_versioning.audit', 'versioning_configuration', 'drift']),
  one('object-lock-days', [lock, 'rule', 'drift']),
  one('object-lock-mode', [lock, 'rule', 'drift']),
  one('tag', ['aws_iam_role.task', 'tags', 'drift']),
  gone('rule-deleted', 'aws_vpc_security_group_ingress_rule.app'),
  gone('public-access-deleted', 'aws_s3_bucket_public_access_block.audit'),
  gone('secret-deleted', 'aws_secretsmanager_secret.database'),
]
