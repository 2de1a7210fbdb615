import type { RawRecord } from './raw-record.ts'

/** Characters of one line: a swap has under 800. */
const lineCharactersMax = 4_096

/** Newline-delimited JSON; blank lines are skipped. A line that is no JSON is a fault of its own. */
export async function* readNdjson(source: AsyncIterable<Uint8Array>): AsyncGenerator<RawRecord> {
  const decoder = new TextDecoder()
  let rest = ''
  let line = 0
  for await (const chunk of source) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
    rest = lines.pop() ?? ''
    for (const text of lines) {
      line += 1
      if (!/^\s*$/.test(text)) yield parseLine(text, line)
    }
    if (rest.length > lineCharactersMax) break
  }
  rest += decoder.decode()
  if (!/^\s*$/.test(rest)) yield parseLine(rest, line + 1)
}

function parseLine(text: string, line: number): RawRecord {
  if (text.length > lineCharactersMax) {
    return { line, value: undefined, fault: `is longer than ${lineCharactersMax} characters` }
  }
  try {
    const value: unknown = JSON.parse(text)
    return { line, value }
  } catch {
    return { line, value: undefined, fault: 'is not JSON' }
  }
}
