/** Characters; no secret, token or document that a command reads is longer. */
const charsMax = 1_048_576

/** All of standard input as text; throws a plain `Error` past a mebichar. */
export async function readStdin(stdin: AsyncIterable<Uint8Array | string>): Promise<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let text = ''
  for await (const chunk of stdin) {
    text += typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true })
    if (text.length > charsMax) throw new Error(`standard input is longer than ${charsMax}`)
  }
  return text + decoder.decode()
}
