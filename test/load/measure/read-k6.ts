import type { Record } from './record.ts'

/** Of k6's thirteen lines for a request one says all; the others are not parsed. */
const durationStart = 'http_req_duration,'
const bytesStart = 'content_bytes,'
const usersStart = 'vus,'

/** Columns of `--out csv`. */
const column = { at: 1, value: 2, expected: 6, method: 8, name: 9, status: 13 } as const

/** Reads what k6 writes with `--out csv` and `K6_CSV_TIME_FORMAT=unix_milli`, as it comes. */
export async function readK6(stream: AsyncIterable<Uint8Array>, record: Record): Promise<void> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of stream) {
    const text = rest + decoder.decode(chunk, { stream: true })
    const end = text.lastIndexOf('\n') + 1
    readLines(text.slice(0, end), record)
    rest = text.slice(end)
  }
}

/** Whole lines only. */
export function readLines(text: string, record: Record): void {
  for (let at = 0; at < text.length; ) {
    const end = text.indexOf('\n', at)
    if (text.startsWith(durationStart, at)) readDuration(cells(text.slice(at, end)), record)
    else if (text.startsWith(bytesStart, at)) readBytes(cells(text.slice(at, end)), record)
    else if (text.startsWith(usersStart, at)) readUsers(cells(text.slice(at, end)), record)
    at = end + 1
  }
}

function readDuration(row: readonly string[], record: Record): void {
  record.add({
    atMs: Number(row[column.at]),
    ms: Number(row[column.value]),
    method: row[column.method] ?? '',
    name: row[column.name] ?? '',
    status: Number(row[column.status]),
    isFailed: row[column.expected] !== 'true',
  })
}

function readBytes(row: readonly string[], record: Record): void {
  const [method = '', name = ''] = [row[column.method], row[column.name]]
  record.addBytes(method, name, Number(row[column.at]), Number(row[column.value]))
}

function readUsers(row: readonly string[], record: Record): void {
  record.addUsers(Number(row[column.at]), Number(row[column.value]))
}

/** A cell in quotes holds commas, and quotes twice. */
function cells(line: string): readonly string[] {
  if (!line.includes('"')) return line.split(',')
  return [...line.matchAll(/("(?:[^"]|"")*"|[^,]*)(?:,|$)/g)].map(([, cell = '']) =>
    cell.startsWith('"') ? cell.slice(1, -1).replaceAll('""', '"') : cell,
  )
}
