/** An option, a name, a verb: no key has letters and dashes alone. */
const plainWord = /^-{0,2}[a-z][a-z/_-]{0,39}$/i
/** A file, by its extension: which one cannot be read has to be said. */
const fileName = /^[\w./-]{1,200}\.[a-z]{2,5}$/i
/** Characters; shorter ones are numbers and letters. */
const valueCharsMin = 6

/**
 * A usage error without the values that were typed: one of them may be a credential in the wrong
 * place, and what an error says is kept where the command line is not.
 */
export function unquoted(text: string, argv: readonly string[]): string {
  const values = argv
    .flatMap((word) => [word, word.replace(/^--?[a-z-]+=/i, '')])
    .filter((word) => word.length >= valueCharsMin && !isHarmless(word))
    .sort((left, right) => left.length - right.length)
  return values.reduce((rest, value) => rest.replaceAll(value, '…'), text)
}

function isHarmless(word: string): boolean {
  return plainWord.test(word) || fileName.test(word)
}
