/** What needs no person, whatever it says; each with its reason. */
export const noiseAttributes: readonly {
  readonly type: string
  readonly attribute: string
  readonly reason: string
}[] = [
  {
    ...{ type: 'aws_db_instance', attribute: 'latest_restorable_time' },
    reason: 'moves on with every backup, so it is in each plan',
  },
  {
    ...{ type: 'aws_rds_cluster', attribute: 'latest_restorable_time' },
    reason: 'moves on with every backup, so it is in each plan',
  },
]

/**
 * What a parent only repeats of resources of their own. A difference there is noise as long as
 * such a resource is managed for this parent: it is judged itself.
 */
export const repeatedAttributes: readonly {
  readonly type: string
  readonly attribute: string
  readonly sibling: string
  /** The sibling's attribute that names the parent, by the parent's attribute. */
  readonly by: string
  readonly of: string
}[] = [
  ...(
    [
      ['versioning', 'aws_s3_bucket_versioning'],
      ['policy', 'aws_s3_bucket_policy'],
      ['acl', 'aws_s3_bucket_acl'],
      ['grant', 'aws_s3_bucket_acl'],
      ['cors_rule', 'aws_s3_bucket_cors_configuration'],
      ['lifecycle_rule', 'aws_s3_bucket_lifecycle_configuration'],
      ['logging', 'aws_s3_bucket_logging'],
      ['replication_configuration', 'aws_s3_bucket_replication_configuration'],
      [
        'server_side_encryption_configuration',
        'aws_s3_bucket_server_side_encryption_configuration',
      ],
      ['object_lock_configuration', 'aws_s3_bucket_object_lock_configuration'],
    ] as const
  ).map(([attribute, sibling]) => ({
    ...{ type: 'aws_s3_bucket', attribute, sibling, by: 'bucket', of: 'id' },
  })),
  {
    type: 'aws_kms_key',
    attribute: 'policy',
    sibling: 'aws_kms_key_policy',
    by: 'key_id',
    of: 'id',
  },
  {
    ...{ type: 'aws_secretsmanager_secret', attribute: 'policy' },
    ...{ sibling: 'aws_secretsmanager_secret_policy', by: 'secret_arn', of: 'arn' },
  },
]

/** What lets somebody in, lets something out, or keeps what is to be kept. */
const securityAttributes: ReadonlySet<string> = new Set([
  ...['ingress', 'egress', 'cidr_ipv4', 'cidr_ipv6', 'cidr_blocks', 'ipv6_cidr_blocks'],
  ...['from_port', 'to_port', 'ip_protocol', 'protocol', 'referenced_security_group_id'],
  ...['security_groups', 'vpc_security_group_ids', 'policy', 'assume_role_policy', 'policy_arn'],
  ...['inline_policy', 'managed_policy_arns', 'permissions_boundary', 'acl', 'grant'],
  ...['block_public_acls', 'block_public_policy', 'ignore_public_acls', 'restrict_public_buckets'],
  ...['enable_key_rotation', 'deletion_window_in_days', 'is_enabled', 'kms_key_id', 'kms_key_arn'],
  ...['rule', 'versioning', 'versioning_configuration', 'object_lock_configuration'],
  ...['server_side_encryption_configuration', 'storage_encrypted', 'publicly_accessible'],
  ...['deletion_protection', 'backup_retention_period', 'iam_database_authentication_enabled'],
  ...['transit_encryption_enabled', 'at_rest_encryption_enabled', 'auth_token', 'user_group_ids'],
  ...['retention_in_days', 'recovery_window_in_days', 'container_definitions', 'task_role_arn'],
  ...['execution_role_arn', 'assign_public_ip', 'enable_execute_command', 'image_tag_mutability'],
  ...['internal', 'ssl_policy', 'certificate_arn', 'drop_invalid_header_fields', 'route'],
  ...['map_public_ip_on_launch', 'enable_logging', 'enable_log_file_validation', 'parameter'],
])

const securityType =
  /security_group|_iam_|_kms_|secret|policy|public_access_block|object_lock|versioning|encryption|cloudtrail|flow_log/

const cosmeticAttributes: ReadonlySet<string> = new Set(['tags', 'tags_all', 'description'])

/** Anybody at all: every address, or every principal of a policy. */
const everybody = /"0\.0\.0\.0\/0"|"::\/0"|\\?"Principal\\?":\s*(?:\\?"\*\\?"|\{[^}]*\\?"\*\\?")/

export const severities = ['critical', 'high', 'medium', 'low'] as const
export type Severity = (typeof severities)[number]

export type PlanFindingKind = 'drift' | 'change' | 'gone'

export function severityOf(about: {
  readonly kind: PlanFindingKind
  readonly type: string
  readonly attribute: string
  /** As it is now. */
  readonly after: string
}): Severity {
  const { kind, type, attribute, after } = about
  if (kind === 'gone') return securityType.test(type) ? 'high' : 'medium'
  const isSecurity = securityAttributes.has(attribute)
  // What is configured and not applied has been reviewed; what somebody did has not.
  if (kind === 'change') return isSecurity ? 'medium' : 'low'
  if (isSecurity) return everybody.test(after) ? 'critical' : 'high'
  return cosmeticAttributes.has(attribute) ? 'low' : 'medium'
}

/** Whose values a summary may repeat: they open nothing and name nobody. */
export const shownAttributes: ReadonlySet<string> = new Set([
  ...['from_port', 'to_port', 'ip_protocol', 'protocol', 'cidr_ipv4', 'cidr_ipv6'],
  ...['cidr_blocks', 'ipv6_cidr_blocks', 'retention_in_days', 'days', 'years', 'mode', 'status'],
  ...['backup_retention_period', 'deletion_window_in_days', 'recovery_window_in_days'],
  ...['rotation_period_in_days', 'desired_count', 'port'],
])

/** Of an attribute that is marked, or called, so, not even a hash is told: it may be guessed. */
export const secretName = /password|secret_string|secret_binary|token|private_key|credential|_wo$/
