import type { Sql } from 'postgres'
import type { AuditJournal } from '#core/audit/journal.ts'

type Accepting = { readonly sql: Sql; readonly journal: AuditJournal }

/**
 * The connection and the journal that a gateway would accept jobs through if accepting wrote no
 * audit record: the product's own statement, sent without the part that inserts the records and
 * without their bytes. Everything else of it stays. Throws when the statement is not the one that
 * was taken apart here, so that the two sides of a comparison cannot become the same one.
 */
export function withoutRecords({ sql, journal }: Accepting): Accepting {
  const shortened = new Map<readonly string[], Shortened>()
  return {
    sql: new Proxy(sql, {
      apply(target, self, args: [TemplateStringsArray, ...unknown[]]) {
        const [strings, ...values] = args
        if (!(Array.isArray(strings) && strings.some((text) => text.includes(intake)))) {
          return Reflect.apply(target, self, args)
        }
        const known = shortened.get(strings) ?? shorten(strings)
        shortened.set(strings, known)
        const kept = known.kept.map((index) => values[index])
        return Reflect.apply(target, self, [known.strings, ...kept])
      },
    }),
    journal: { ...journal, write: (_, insert) => insert([]) },
  }
}

type Shortened = { readonly strings: TemplateStringsArray; readonly kept: readonly number[] }

const intake = 'insert into postern_audit_intake'
const inserting = /\), recorded as \([\s\S]*?returning 1\s*(?=\))/
const counting = /select postern_recorded\(.*::bigint\)/

/** Parameters are marked by their number, which no statement of ours holds in braces. */
function shorten(strings: readonly string[]): Shortened {
  const marked = strings.reduce((text, part, index) => `${text}{${index - 1}}${part}`)
  if (!(inserting.test(marked) && counting.test(marked))) {
    throw new Error(`accepting writes its records in another way than the bench knows: ${marked}`)
  }
  const text = marked.replace(inserting, '').replace(counting, 'select true')
  const parts = text.split(/\{(\d+)\}/)
  const own = parts.filter((_, index) => index % 2 === 0)
  const kept = parts.filter((_, index) => index % 2 === 1).map(Number)
  return { strings: Object.assign(own, { raw: own }), kept }
}
