import type { Books } from '../stage/books.ts'
import type { Table } from './page.ts'

export function bookLines({ statuses, denials }: Books): readonly string[] {
  return [`orders: ${countsText(statuses)}`, `denied by: ${countsText(denials)}`]
}

export function bookTables({ statuses, denials }: Books): readonly Table[] {
  return [countsTable('Orders by status', statuses), countsTable('Denials by reject_code', denials)]
}

function countsText(counts: Readonly<Record<string, number>>): string {
  const all = Object.entries(counts).map(([name, count]) => `${count} ${name}`)
  return all.length === 0 ? 'none' : all.join(', ')
}

function countsTable(title: string, counts: Readonly<Record<string, number>>): Table {
  return { title, columns: ['', 'Orders'], rows: Object.entries(counts) }
}
