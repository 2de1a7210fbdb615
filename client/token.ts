import { PosternProblem } from './problem.ts'

/** A token, or what fetches one; it is asked again when the server refuses the last. */
export type TokenOption = string | (() => string | Promise<string>)

export type TokenSource = {
  current(): Promise<string>
  /** Another one than `refused`, or undefined where there is none. */
  renewed(refused: string): Promise<string | undefined>
}

/** Longer ones do not fit the server's header block of 16 KiB. */
const tokenCharactersMax = 15_000

export function tokenSource(option: TokenOption): TokenSource {
  if (typeof option === 'string') {
    const token = usable(option)
    return { current: async () => token, renewed: async () => undefined }
  }
  let latest: Promise<string> | undefined

  function ask(fetchToken: () => string | Promise<string>): Promise<string> {
    const asked = (async () => usable(await fetchToken()))()
    latest = asked
    // One that could not be had is asked for again by the next call.
    asked.catch(() => {
      if (latest === asked) latest = undefined
    })
    return asked
  }

  return {
    current: () => latest ?? ask(option),
    async renewed(refused) {
      const seen = latest ?? ask(option)
      const token = await seen
      if (token !== refused) return token
      // Of many calls that were refused at once, the first asks for all.
      const next = await (latest === seen || latest === undefined ? ask(option) : latest)
      return next === refused ? undefined : next
    },
  }
}

/** What is no token would come back to its sender inside an error of the runtime's headers. */
function usable(token: unknown): string {
  if (typeof token !== 'string' || token.length > tokenCharactersMax) throw unusable()
  if (!/^[\x21-\x7e]+$/.test(token)) throw unusable()
  return token
}

function unusable(): PosternProblem {
  return new PosternProblem({
    code: 'client.token_unusable',
    status: 0,
    title: 'Token unusable',
    detail: 'A token is printable ASCII without spaces and without the word Bearer.',
  })
}
