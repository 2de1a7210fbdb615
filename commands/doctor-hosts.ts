import type { Config } from '#core/config.ts'
import { known, type ReadAccess } from './doctor-access.ts'
import type { Check, Finding } from './doctor-check.ts'

/** Milliseconds that a host has to say anything. */
const answerMsMax = 5_000

/** What stands in the settings and is somebody else's: key sets of issuers, and the venue. */
export function hostChecks(config: Config, read: ReadAccess): readonly Check[] {
  return [{ name: 'hosts', run: () => checkHosts(config, read) }]
}

async function checkHosts(config: Config, read: ReadAccess): Promise<Finding> {
  const urls = await configuredUrls(config, read)
  const found = await Promise.all(urls.map(async (url) => ({ url, problem: await reach(url) })))
  const away = found.flatMap(({ url, problem }) => (problem ? [`${url} (${problem})`] : []))
  if (away.length > 0) {
    return {
      ...{ status: 'fail', detail: `cannot be reached from here: ${away.join(', ')}` },
      fix: 'open the way (route, firewall, the list of the egress module), or take the host out',
    }
  }
  if (urls.length === 0) return { status: 'ok', detail: 'none outside is configured' }
  return { status: 'ok', detail: `${urls.join(', ')} answer` }
}

async function configuredUrls(config: Config, read: ReadAccess): Promise<readonly string[]> {
  const issuers = (await known(read))?.issuers ?? []
  const keySets = issuers.flatMap(({ keys }) => ('jwksUrl' in keys ? [keys.jwksUrl] : []))
  const venue = config.POSTERN_ALPACA_KEYS === undefined ? [] : [config.POSTERN_ALPACA_URL]
  const all = [...keySets, ...venue].map((url) => new URL(url).origin)
  return [...new Set(all)].sort()
}

/** Any answer at all is one; why there is none, or nothing. */
async function reach(origin: string): Promise<string | undefined> {
  const signal = AbortSignal.timeout(answerMsMax)
  try {
    const answer = await fetch(origin, { method: 'HEAD', redirect: 'manual', signal })
    await answer.body?.cancel()
    return undefined
  } catch (error) {
    if (signal.aborted) return `no answer in ${answerMsMax / 1_000} s`
    return error instanceof Error && 'code' in error ? String(error.code) : 'no connection'
  }
}
