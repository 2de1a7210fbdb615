import { Database, SQLiteError } from 'bun:sqlite'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ConfigError } from '../../config.ts'
import { PosternError } from '../../errors.ts'
import { parseCheckpoint } from '../note/checkpoint.ts'
import { verifyCosignature } from '../note/cosignature.ts'
import { parseNote } from '../note/note.ts'
import { NoteError } from '../note/note-error.ts'
import { formatVerifierKey, type VerifierKey } from '../note/verifier-key.ts'
import { originHash, type WitnessStore } from './witness-store.ts'

export type SqliteWitnessStore = WitnessStore & {
  close(): void
}

/**
 * Makes the memory of a witness that has cosigned nothing yet. Throws `ConfigError` where there is
 * one: a key whose memory was lost must not cosign again, since it could cosign a fork.
 */
export function createWitnessStore(directory: string, key: VerifierKey): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  createFile(directory)
  using db = openExclusively(directory)
  const create = db.transaction(() => {
    db.run(schema)
    db.query('insert into witness (verifier_key) values (?1)').run(formatVerifierKey(key))
  })
  create.immediate()
}

/** Exclusively: SQLite itself would take an emptied file for a new one. */
function createFile(directory: string): void {
  try {
    writeFileSync(join(directory, fileName), '', { flag: 'wx', mode: 0o600 })
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
    const problem =
      code === 'EEXIST' ? 'already holds the memory of a witness' : `cannot be written (${code})`
    // biome-ignore lint/style/useErrorCause: its lines are all that is ever shown of a ConfigError.
    throw new ConfigError([`--data: ${directory} ${problem}`])
  }
}

const fileName = 'witness.db'

const schema = `
  create table witness (verifier_key text not null) strict;
  create table cosigned (origin_hash text primary key, note text not null) strict;
`

/**
 * The memory in `directory`, held by this process alone until `close` or its death; the kernel
 * lets go of a killed one's lock. SQLite because it has the durable compare-and-set that a
 * directory of files would have to be taught: rollback journal, file and directory synced at every
 * commit. Throws `ConfigError` where it is missing, in use, damaged or another key's.
 */
export function openWitnessStore(directory: string, key: VerifierKey): SqliteWitnessStore {
  const db = openExclusively(directory)
  const problem = findProblem(db, key)
  if (problem !== undefined) {
    db.close()
    throw new ConfigError([`--data: ${directory} ${problem}`])
  }
  const select = db.query<{ note: string }, [string]>(
    'select note from cosigned where origin_hash = ?1',
  )
  const insert = db.query<never, [string, string]>(
    'insert into cosigned (origin_hash, note) values (?1, ?2) on conflict do nothing',
  )
  const update = db.query<never, [string, string, string]>(
    'update cosigned set note = ?2 where origin_hash = ?1 and note = ?3',
  )
  return {
    find: (hash) => orOutage(() => select.get(hash)?.note),
    replace(hash, previous, next) {
      return orOutage(() =>
        previous === undefined
          ? insert.run(hash, next).changes === 1
          : update.run(hash, next, previous).changes === 1,
      )
    },
    close: () => db.close(),
  }
}

/** Every note is proof of itself: it carries the signature of the key that this memory is for. */
function findProblem(db: Database, key: VerifierKey): string | undefined {
  try {
    const checked = db.query<{ integrity_check: string }, []>('pragma integrity_check').get()
    const own = db.query<{ verifier_key: string }, []>('select verifier_key from witness').get()
    if (checked?.integrity_check !== 'ok' || own === null) return damaged
    if (own.verifier_key !== formatVerifierKey(key)) {
      return `is the memory of ${own.verifier_key}, not of the key given`
    }
    const rows = db
      .query<{ origin_hash: string; note: string }, []>('select origin_hash, note from cosigned')
      .all()
    return rows.every((row) => isIntact(row, key)) ? undefined : damaged
  } catch (error) {
    if (error instanceof SQLiteError) return damaged
    throw error
  }
}

function isIntact(row: { readonly origin_hash: string; readonly note: string }, key: VerifierKey) {
  try {
    const note = parseNote(row.note)
    const { origin } = parseCheckpoint(note.text)
    return originHash(origin) === row.origin_hash && verifyCosignature(note, key) !== undefined
  } catch (error) {
    if (error instanceof NoteError) return false
    throw error
  }
}

function openExclusively(directory: string): Database {
  let db: Database | undefined
  try {
    db = new Database(join(directory, fileName), { create: false, readwrite: true, strict: true })
    db.run('pragma locking_mode = exclusive')
    // Syncs the directory too, after the journal that could undo a commit is gone from it.
    db.run('pragma synchronous = extra')
    db.run('pragma journal_mode = delete')
    // The exclusive mode takes its lock at the first transaction.
    db.run('begin exclusive')
    db.run('commit')
    return db
  } catch (error) {
    db?.close()
    if (!(error instanceof SQLiteError)) throw error
    const problem = problems[error.code ?? ''] ?? `cannot be read or written (${error.code})`
    // biome-ignore lint/style/useErrorCause: its lines are all that is ever shown of a ConfigError.
    throw new ConfigError([`--data: ${directory} ${problem}`])
  }
}

const damaged = 'is damaged; do not make it anew for this key, which would forget what it cosigned'
const problems: Readonly<Record<string, string>> = {
  SQLITE_BUSY: 'is in use by another process; a witness is one process',
  SQLITE_CANTOPEN: 'holds no memory; for a key that has never cosigned, run `postern witness init`',
  SQLITE_NOTADB: damaged,
  SQLITE_CORRUPT: damaged,
}

function orOutage<Result>(run: () => Result): Result {
  try {
    return run()
  } catch (cause) {
    throw new PosternError('audit.unavailable', { reason: 'the witness has no memory', cause })
  }
}
