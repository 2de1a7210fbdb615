import { z } from 'zod'
import { environmentName } from '../drift/environment-name.ts'
import { credential, filePath, httpUrl, told, wholeNumber } from './setting-shapes.ts'

/** Seven years: the longest of the usual rules for trading records. */
const retentionDaysDefault = 2_555

/** A log's name (C2SP tlog-checkpoint): its URL without scheme and final slash. */
const origin = z
  .string()
  .regex(/^[a-zA-Z0-9][a-zA-Z0-9.:/_-]{0,198}[a-zA-Z0-9]$/, 'a URL without scheme and final slash')

/**
 * Where a CI run leaves its plan: `s3://bucket/prefix` or a directory. No part of it begins with a dot:
 * none leads back up.
 */
const planPlace = z
  .string()
  .max(1_024)
  .regex(
    /^(?:s3:\/\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]|(?=\/))(?:\/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$/,
    's3://bucket/prefix or an absolute directory',
  )

export const auditSettings = {
  POSTERN_AUDIT_ORIGIN: origin
    .optional()
    .meta(told("the log's name, a URL without scheme; one per deployment and environment")),
  POSTERN_AUDIT_KEYS: credential
    .optional()
    .meta(told('secret reference: signer keys of that name, one a line')),
  POSTERN_AUDIT_STORE: z
    .string()
    .min(1)
    .optional()
    .meta(told('a directory, or `s3://bucket/prefix` with Object Lock')),
  POSTERN_AUDIT_POLICY: filePath
    .optional()
    .meta(told('whose cosignatures are collected (C2SP tlog-policy)')),
  POSTERN_AUDIT_VERIFIER_KEYS: filePath
    .optional()
    .meta(
      told(
        "file of the log's verifier keys, one a line; with `POSTERN_AUDIT_STORE` the workers verify the published log every night",
      ),
    ),
  POSTERN_AUDIT_RETENTION_DAYS: wholeNumber(1, 36_500)
    .default(retentionDaysDefault)
    .meta(told('how many days S3 locks each object (COMPLIANCE)')),
  POSTERN_AUDIT_S3_ENDPOINT: httpUrl.optional().meta(told('another S3 API than the one of AWS')),
}

export const driftSettings = {
  POSTERN_DRIFT_PLAN: planPlace
    .optional()
    .meta(told('where CI leaves its plan: `s3://bucket/prefix` or a directory; off without')),
  POSTERN_DRIFT_PLAN_KEY_FILE: filePath
    .optional()
    .meta(told('PEM of the public key that signs plans, P-256 or Ed25519')),
  POSTERN_DRIFT_ENVIRONMENT: environmentName
    .optional()
    .meta(told('the environment that a plan must be of')),
  POSTERN_DRIFT_S3_ENDPOINT: httpUrl.optional().meta(told('another S3 API than the one of AWS')),
  POSTERN_DRIFT_WORKSPACE: filePath.optional().meta(told('root module for the source `terraform`')),
  POSTERN_DRIFT_CALLBACK: httpUrl
    .max(2_048)
    .optional()
    .meta(told('https; a signed webhook when the daily job opens or resolves findings')),
}
