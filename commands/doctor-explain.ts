import { z } from 'zod'
import { ConfigError } from '#core/config.ts'
import { PosternError } from '#core/errors.ts'
import type { Check, Finding, Server } from './doctor-check.ts'

/** Causes behind a cause that are looked at. */
const depthMax = 6

type Outage = {
  readonly sign: RegExp
  readonly detail: string
  readonly fix: (setting: string) => string
}

/** By what a driver, a socket or a server says of it, the first that fits. */
const outages: readonly Outage[] = [
  {
    sign: /ECONNREFUSED/,
    detail: 'nothing listens there',
    fix: (setting) => `start it, or correct host and port in ${setting}`,
  },
  {
    sign: /ENOTFOUND|EAI_AGAIN/,
    detail: 'no such host is known here',
    fix: (setting) => `correct the host in ${setting}, or the resolver of this machine`,
  },
  {
    sign: /28P01|28000|WRONGPASS|NOAUTH|NOPERM/,
    detail: 'the login is refused',
    fix: (setting) => `correct user and password behind ${setting} (\`postern secrets put\`)`,
  },
  {
    sign: /3D000/,
    detail: 'there is no such database',
    fix: (setting) => `create it, or correct its name in ${setting}`,
  },
  {
    // How OpenSSL says that nobody it trusts signed the server's certificate.
    sign: /UNABLE_TO_|unable to (?:get|verify)|self.signed/i,
    detail: 'nobody we trust vouches for its certificate',
    fix: (setting) =>
      `name the PEM of its authority in ${setting.replace(/_URL$|_ADDRESS$/, '_CA_FILE')}`,
  },
  {
    sign: /ERR_TLS_CERT_ALTNAME|altnames/,
    detail: 'its certificate is for another host name',
    fix: (setting) => `use a name of the certificate in ${setting}`,
  },
  {
    sign: /does not offer TLS|hung up when asked for TLS/,
    detail: 'it does not offer TLS',
    fix: (setting) =>
      `switch TLS on at the server; ${setting} without it is for development (sslmode=disable)`,
  },
  {
    sign: /WRONG_VERSION_NUMBER|wrong version number|EPROTO/i,
    detail: 'it answers in plain text where TLS is asked for',
    fix: (setting) => `switch TLS on at the server, or correct the port in ${setting}`,
  },
  {
    sign: /no answer|not ready within|ETIMEDOUT|CONNECT_TIMEOUT|timed? ?out/i,
    detail: 'it does not answer',
    fix: () => 'look whether it hangs, and whether a firewall on the way drops packets',
  },
]

/** What a check that threw has found, with what mends it. */
export async function explainFailure(error: unknown, { server }: Check): Promise<Finding> {
  if (error instanceof ConfigError) return explainConfig(error)
  const outage = outages.find(({ sign }) => signsOf(error).some((text) => sign.test(text)))
  if (server !== undefined && outage !== undefined) return await explainOutage(outage, server)
  if (error instanceof PosternError) {
    const detail = `${error.code}: ${error.detail ?? error.message}`
    return { status: 'fail', detail, fix: fixOf(error) }
  }
  const detail = error instanceof Error ? error.message : String(error)
  return { status: 'fail', detail, fix: 'see the runbook' }
}

async function explainOutage(outage: Outage, { setting, place }: Server): Promise<Finding> {
  const where = await place().catch(() => undefined)
  const detail = where === undefined ? outage.detail : `${where}: ${outage.detail}`
  return { status: 'fail', detail, fix: outage.fix(setting) }
}

/** A line of configuration says itself what to do; where only a name is missing, the page tells more. */
function explainConfig({ problems }: ConfigError): Finding {
  const [first = ''] = problems
  const [, name] = /^(POSTERN_\w+): /.exec(first) ?? []
  const page = `see \`postern help settings${name === undefined ? '' : ` ${name}`}\``
  const [, own] = /; ((?:set|give|use|name|make|upgrade|stop|choose|see|run) .+)$/.exec(first) ?? []
  return { status: 'fail', detail: problems.join('; '), fix: own ?? page }
}

const fixes: Readonly<Partial<Record<PosternError['code'], string>>> = {
  'database.schema_refused': 'run `postern migrate`, or the release that migrated it',
  'secret.not_found': 'put it there (`postern secrets put`), or correct the reference',
}

/** Words that name a command are the fix. */
function fixOf({ code, detail, message }: PosternError): string {
  const text = detail ?? message
  const [, command] = /(run `[^`]+`)/.exec(text) ?? []
  const [, setting] = /(set POSTERN_\w+)/.exec(text) ?? []
  return command ?? setting ?? fixes[code] ?? `see ${code} in the runbook`
}

const told = z.object({ code: z.string().optional(), message: z.string().optional() })

/** Codes and messages of an error and of what is behind it. */
function signsOf(error: unknown): readonly string[] {
  const signs: string[] = []
  let at = error
  for (let depth = 0; depth < depthMax && at !== undefined; depth++) {
    const { data } = told.safeParse(at)
    signs.push(...[data?.code, data?.message].flatMap((text) => text ?? []))
    at = at instanceof Error ? at.cause : undefined
  }
  return signs
}
