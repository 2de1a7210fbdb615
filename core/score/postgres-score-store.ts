import type { Sql, TransactionSql } from 'postgres'
import { z } from 'zod'
import { PosternError } from '../errors.ts'
import { databaseOutage } from '../postgres/outage.ts'
import { algorithms } from './algorithm.ts'
import type { ScoreOptions } from './measure-wallet.ts'
import { type Cohort, cohortSchema, type WalletScore, walletScoreSchema } from './wallet-score.ts'

/** Scores in one statement: about 20 KiB of JSON each. */
const scoresPerStatement = 100

export const storedScoreSchema = walletScoreSchema.extend({
  jobId: z.string(),
  scoredAt: z.string(),
})
storedScoreSchema.register(z.globalRegistry, { title: 'StoredScore' })
export type StoredScore = z.infer<typeof storedScoreSchema>

export const rankedWalletSchema = z.object({
  wallet: z.string(),
  trustScore: z.string(),
  trustScoreScaled: z.string(),
  cohortId: z.string(),
  cohortSize: z.int(),
  endDate: z.string(),
  scoredAt: z.string(),
})
rankedWalletSchema.register(z.globalRegistry, { title: 'RankedWallet' })
export type RankedWallet = z.infer<typeof rankedWalletSchema>

export type ScoreSelection = Pick<ScoreOptions, 'algorithmVersion' | 'costBasis'>

export type RankingFilter = ScoreSelection & {
  /** Decimal text: the least `trustScore`. */
  readonly min: string
  readonly limit: number
  /** Opaque; from the previous page. */
  readonly cursor: string | undefined
}

export type Ranking = {
  readonly scores: readonly RankedWallet[]
  readonly next: string | undefined
}

/** Stored scores. All methods throw `database.unavailable` when Postgres is away. */
export type ScoreStore = {
  /** The last complete batch that is large enough to place a single wallet in. */
  referenceCohort(selection: ScoreSelection): Promise<Cohort | undefined>
  find(wallet: string, selection: ScoreSelection): Promise<StoredScore | undefined>
  /** Best first. Throws `request.query_invalid` for a cursor that is not ours. */
  rank(filter: RankingFilter): Promise<Ranking>
}

export function postgresScoreStore({ sql }: { readonly sql: Sql }): ScoreStore {
  return {
    referenceCohort: (selection) => readCohort(sql, selection).catch(rethrowAsOutage),
    find: (wallet, selection) => readScore(sql, wallet, selection).catch(rethrowAsOutage),
    rank: (filter) => readRanking(sql, filter).catch(rethrowAsOutage),
  }
}

function rethrowAsOutage(error: unknown): never {
  throw databaseOutage(error) ?? error
}

async function readCohort(sql: Sql, { algorithmVersion, costBasis }: ScoreSelection) {
  const { cohortMin } = algorithms[algorithmVersion]
  const [row] = await sql<{ cohort: unknown }[]>`
    select cohort from postern_cohort
    where algorithm_version = ${algorithmVersion} and cost_basis = ${costBasis}
      and size >= ${cohortMin}
    order by created_at desc, id desc limit 1`
  return row === undefined ? undefined : cohortSchema.parse(row.cohort)
}

async function readScore(sql: Sql, wallet: string, selection: ScoreSelection) {
  const { algorithmVersion, costBasis } = selection
  const [row] = await sql<{ score: unknown; job: string; scored_at: Date }[]>`
    select score, job, scored_at from postern_score
    where wallet = ${wallet} and algorithm_version = ${algorithmVersion}
      and cost_basis = ${costBasis}`
  if (row === undefined) return undefined
  const score = walletScoreSchema.parse(row.score)
  return { ...score, jobId: row.job, scoredAt: row.scored_at.toISOString() }
}

async function readRanking(sql: Sql, filter: RankingFilter): Promise<Ranking> {
  const { algorithmVersion, costBasis, min, limit } = filter
  const after = filter.cursor === undefined ? undefined : decodeCursor(filter.cursor)
  const rows = await sql<RankedWallet[]>`
    select wallet, trust_score::text as "trustScore",
      trust_score_scaled::text as "trustScoreScaled", cohort_id as "cohortId",
      cohort_size as "cohortSize", end_date::text as "endDate",
      to_char(scored_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as "scoredAt"
    from postern_score
    where algorithm_version = ${algorithmVersion} and cost_basis = ${costBasis}
      and trust_score is not null and trust_score >= ${min}::numeric
      ${
        after === undefined
          ? sql``
          : sql`and (trust_score_scaled < ${after.scaled}::numeric
              or (trust_score_scaled = ${after.scaled}::numeric and wallet > ${after.wallet}))`
      }
    order by trust_score_scaled desc, wallet limit ${limit + 1}`
  const scores = rows.slice(0, limit)
  const last = scores.at(-1)
  const next = rows.length > limit && last !== undefined ? encodeCursor(last) : undefined
  return { scores, next }
}

const cursorSchema = z.tuple([z.string().regex(/^\d{1,3}(?:\.\d{1,40})?$/), z.string().max(44)])

function encodeCursor({ trustScoreScaled, wallet }: RankedWallet): string {
  return Buffer.from(JSON.stringify([trustScoreScaled, wallet])).toString('base64url')
}

function decodeCursor(cursor: string): { readonly scaled: string; readonly wallet: string } {
  try {
    const [scaled, wallet] = cursorSchema.parse(
      JSON.parse(Buffer.from(cursor, 'base64url').toString()),
    )
    return { scaled, wallet }
  } catch (cause) {
    const detail = 'The cursor is not one that this list gave out.'
    throw new PosternError('request.query_invalid', { detail, cause })
  }
}

export type ScoredBatch = {
  readonly scores: readonly WalletScore[]
  /** Stored as the reference for single wallets; undefined when the batch was one of them. */
  readonly cohort: Cohort | undefined
  readonly jobId: string
  readonly at: Date
}

/** Belongs to the transaction of the job's outcome. A score of an older end date replaces nothing. */
export async function storeScores(transaction: TransactionSql, batch: ScoredBatch): Promise<void> {
  const { scores, cohort, jobId, at } = batch
  if (cohort !== undefined) {
    await transaction`
      insert into postern_cohort (id, algorithm_version, cost_basis, end_date, size, screened,
        cohort, job, created_at)
      values (${cohort.id}, ${cohort.algorithmVersion}, ${cohort.costBasis}, ${cohort.endDate},
        ${cohort.size}, ${cohort.screened}, ${JSON.stringify(cohort)}::text::jsonb, ${jobId}, ${at})`
  }
  // In the order of wallets, or two batches that share wallets deadlock.
  const ordered = scores.toSorted((a, b) => (a.wallet < b.wallet ? -1 : 1))
  for (let start = 0; start < ordered.length; start += scoresPerStatement) {
    const rows = ordered.slice(start, start + scoresPerStatement).map((score) => scoreRow(score))
    await upsertScores(transaction, rows, { jobId, at })
  }
}

async function upsertScores(
  transaction: TransactionSql,
  rows: readonly unknown[],
  { jobId, at }: Pick<ScoredBatch, 'jobId' | 'at'>,
): Promise<void> {
  await transaction`
    insert into postern_score as s (wallet, algorithm_version, cost_basis, end_date, status,
      trust_score, trust_score_scaled, cohort_id, cohort_size, sharpe_min, sharpe_max,
      roi_percent_min, roi_percent_max, drawdown_percent_min, drawdown_percent_max, reasons,
      score, job, scored_at)
    select r.*, ${jobId}::uuid, ${at}::timestamptz
    from jsonb_to_recordset(${JSON.stringify(rows)}::text::jsonb) as r(
      wallet text, algorithm_version text, cost_basis text, end_date date, status text,
      trust_score numeric, trust_score_scaled numeric, cohort_id uuid, cohort_size integer,
      sharpe_min numeric, sharpe_max numeric, roi_percent_min numeric, roi_percent_max numeric,
      drawdown_percent_min numeric, drawdown_percent_max numeric, reasons jsonb, score jsonb)
    on conflict (wallet, algorithm_version, cost_basis) do update set
      end_date = excluded.end_date, status = excluded.status, trust_score = excluded.trust_score,
      trust_score_scaled = excluded.trust_score_scaled, cohort_id = excluded.cohort_id,
      cohort_size = excluded.cohort_size, sharpe_min = excluded.sharpe_min,
      sharpe_max = excluded.sharpe_max, roi_percent_min = excluded.roi_percent_min,
      roi_percent_max = excluded.roi_percent_max,
      drawdown_percent_min = excluded.drawdown_percent_min,
      drawdown_percent_max = excluded.drawdown_percent_max, reasons = excluded.reasons,
      score = excluded.score, job = excluded.job, scored_at = excluded.scored_at
    where s.end_date <= excluded.end_date`
}

function scoreRow(score: WalletScore): unknown {
  const { cohort } = score
  const bounds = cohort?.bounds
  return {
    wallet: score.wallet,
    algorithm_version: score.algorithmVersion,
    cost_basis: score.costBasis,
    end_date: score.endDate,
    status: score.status,
    trust_score: score.trustScore,
    trust_score_scaled: score.trustScoreScaled,
    cohort_id: cohort?.id,
    cohort_size: cohort?.size,
    sharpe_min: bounds?.sharpe.min,
    sharpe_max: bounds?.sharpe.max,
    roi_percent_min: bounds?.roiPercent.min,
    roi_percent_max: bounds?.roiPercent.max,
    drawdown_percent_min: bounds?.drawdownPercent.min,
    drawdown_percent_max: bounds?.drawdownPercent.max,
    reasons: score.reasons,
    score,
  }
}
