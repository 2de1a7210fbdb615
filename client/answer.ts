import { PosternProblem, unexpected } from './problem.ts'

/** Bytes of an answer that is read whole; the longest of the server's lists are a tenth of it. */
export const answerBytesMax = 33_554_432

export async function readText(response: Response): Promise<string> {
  if (response.body === null) return ''
  const reader = response.body.getReader()
  const decoder = new TextDecoder()
  let bytes = 0
  let text = ''
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return text + decoder.decode()
    bytes += value.byteLength
    if (bytes > answerBytesMax) {
      await reader.cancel()
      throw tooLarge(response)
    }
    text += decoder.decode(value, { stream: true })
  }
}

function tooLarge({ status }: Response): PosternProblem {
  return new PosternProblem({
    code: 'client.answer_too_large',
    status,
    title: 'Answer too large',
    detail: `An answer may hold ${answerBytesMax} bytes.`,
  })
}

/** The JSON of an answer that should be some. */
export function parseAnswer(text: string) {
  try {
    return JSON.parse(text)
  } catch {
    // biome-ignore lint/style/useErrorCause: the parser's error quotes the text, which may hold the token.
    throw unexpected({ status: 200 }, 'is no JSON, or not all of it')
  }
}
