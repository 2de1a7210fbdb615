import { readFile } from 'node:fs/promises'
import type { Cluster, Redis } from 'ioredis'
import type { Sql } from 'postgres'
import { parseS3Place } from '#core/audit/store/s3-tile-store.ts'
import { type Config, ConfigError } from '#core/config.ts'
import type { DriftLook, DriftLooks } from '#core/drift/check-drift.ts'
import { fetchPlan } from '#core/drift/fetch-plan.ts'
import { filePlanSource } from '#core/drift/file-plan-source.ts'
import { judgeSource } from '#core/drift/judge-source.ts'
import type { PlanSource } from '#core/drift/plan-source.ts'
import { lookAtRuntime } from '#core/drift/read-runtime.ts'
import { openS3PlanSource } from '#core/drift/s3-plan-source.ts'
import { readPlanKey } from '#core/drift/sigstore-bundle.ts'
import { type Environment, terraformPlan } from '#core/drift/terraform-runner.ts'
import { builtInSchedules } from './built-in-schedules.ts'
import { required } from './require-settings.ts'

/** A tmpfs wherever Linux runs, in a container with a read-only root too. */
const scratch = '/dev/shm'

export type DriftParts = {
  readonly config: Config
  readonly environment: Environment
  readonly sql: Sql
  /** Undefined where the queue is Postgres. */
  readonly redis: () => Redis | Cluster | undefined | Promise<Redis | Cluster | undefined>
  readonly isLogPublished: boolean
  readonly now: () => Date
}

/** What this process can look at. Throws `ConfigError`. */
export async function openDriftLooks(parts: DriftParts): Promise<DriftLooks> {
  const { config, sql, redis, isLogPublished } = parts
  const { POSTERN_IMAGE_DIGEST: imageDigest, POSTERN_DRIFT_WORKSPACE: workspace } = config
  return {
    plan: await planLook(config, parts.now),
    terraform: workspace === undefined ? undefined : terraformLook(parts, workspace),
    runtime: async () =>
      lookAtRuntime({
        ...{ sql, imageDigest, redis: await redis() },
        builtIn: builtInSchedules({ isLogPublished }),
      }),
  }
}

/** Undefined where no place of a plan is set. */
export async function planLook(config: Config, now: () => Date): Promise<DriftLook | undefined> {
  const place = config.POSTERN_DRIFT_PLAN
  if (place === undefined) return undefined
  const keyFile = required(config, 'POSTERN_DRIFT_PLAN_KEY_FILE')
  const key = readPlanKey(await readKeyFile(keyFile), keyFile)
  const environment = required(config, 'POSTERN_DRIFT_ENVIRONMENT')
  const source = await openPlanSource(config, place)
  return ({ judgedUntil }, signal) =>
    judgeSource('plan', async () => {
      const rules = { environment, now: now(), judgedUntil }
      const { manifest, plan } = await fetchPlan(source, { ...rules, key, signal })
      return { plan, madeAt: manifest.madeAt }
    })
}

async function readKeyFile(path: string): Promise<string> {
  return await readFile(path, 'utf8').catch((error: unknown) => {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable'
    throw new ConfigError([`POSTERN_DRIFT_PLAN_KEY_FILE: ${path} cannot be read (${code})`])
  })
}

async function openPlanSource(config: Config, place: string): Promise<PlanSource> {
  const bucket = parseS3Place(place)
  if (bucket === undefined) return filePlanSource(place)
  return await openS3PlanSource(bucket, {
    endpoint: config.POSTERN_DRIFT_S3_ENDPOINT,
    region: config.POSTERN_AWS_REGION,
  })
}

function terraformLook({ config, environment }: DriftParts, workspace: string): DriftLook {
  const mode = config.POSTERN_MODE
  return (_state, signal) =>
    judgeSource('terraform', async () => ({
      plan: await terraformPlan({ workspace, environment, mode, scratch, signal }),
    }))
}
