import { InvalidArgumentError } from 'commander'

/** As it is printed, in lower case; `what` is said of anything else. */
export function idArgument(what: string): (text: string) => string {
  return (text) => {
    if (/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text)) return text
    throw new InvalidArgumentError(what)
  }
}
