import type { AuditEntry } from './documents.ts'
import { Status, Time } from './marks.tsx'
import { Table } from './panel.tsx'

const tones = { ok: 'ok', refused: 'warn', failed: 'bad' } as const

export function EntryTable({ entries }: { readonly entries: readonly AuditEntry[] }) {
  return (
    <Table
      label="Audit records"
      rows={entries}
      keyOf={({ index }) => String(index)}
      columns={[
        { head: 'Index', isNumber: true, cell: ({ index }) => index },
        { head: 'Type', cell: ({ type }) => <code>{type}</code> },
        { head: 'Outcome', cell: (entry) => <Outcome entry={entry} /> },
        { head: 'By', cell: ({ actor }) => <span class="clip">{actor?.sub ?? 'Postern'}</span> },
        { head: 'Of', cell: ({ target }) => <code class="clip">{target}</code> },
        { head: 'When', cell: ({ ts }) => <Time at={ts} /> },
        { head: 'Details', isWideOnly: true, cell: ({ details }) => <Details value={details} /> },
      ]}
    />
  )
}

function Outcome({ entry: { outcome, reason } }: { readonly entry: AuditEntry }) {
  const tone =
    outcome === 'ok' || outcome === 'refused' || outcome === 'failed' ? tones[outcome] : 'idle'
  return <Status tone={tone} text={reason === undefined ? outcome : `${outcome}: ${reason}`} />
}

function Details({ value }: { readonly value: unknown }) {
  if (value === undefined) return null
  const text = JSON.stringify(value)
  return (
    <small class="clip" title={text}>
      {text}
    </small>
  )
}
