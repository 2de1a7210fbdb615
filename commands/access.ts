import { Command, Option } from 'commander'
import type { Admission } from '#core/access/access-control.ts'
import type { AccessRules } from '#core/access/access-file.ts'
import type { Hop } from '#core/access/client-address.ts'
import { explainAddress } from '#core/access/explain-address.ts'
import { type Zone, zones } from '#core/access/principal.ts'
import { type CommandIo, exitCodes } from './command-io.ts'
import { jsonText } from './json-text.ts'
import { judgeToken, type TokenVerdict } from './judge-token.ts'
import { examples } from './manual.ts'
import { loadAccessRules } from './operator-access.ts'
import { printable } from './printable.ts'

type ExplainOptions = {
  readonly ip: string
  readonly forwardedFor?: string
  readonly zone: Zone
  readonly route?: string
  readonly token?: string
  readonly file?: string
  readonly json?: true
}

export function accessCommand(io: CommandIo): Command {
  return new Command('access')
    .summary('say who is admitted and why; check an access file')
    .addCommand(explainCommand(io))
    .addCommand(checkCommand(io))
    .addHelpText(
      'after',
      examples('postern access explain --ip 10.0.3.7', 'postern access check access.json'),
    )
}

function explainCommand(io: CommandIo): Command {
  return new Command('explain')
    .summary('say which rule admits or refuses a caller; exit 0 admitted, 1 refused')
    .description(
      `The token is checked against the access file and the issuer's keys, not against the deny list.`,
    )
    .requiredOption('--ip <address>', 'the TCP peer as Postern sees it')
    .option('--forwarded-for <header>', 'the value of the trusted forwarding header')
    .addOption(new Option('--zone <zone>', 'the zone of the route').choices(zones).default('v1'))
    .option('--route <route>', 'method and template, for the scopes the file adds')
    .option('--token <token>', 'a bearer token to verify too')
    .option('--file <file>', 'another access file than POSTERN_ACCESS_FILE')
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      examples(
        'postern access explain --ip 10.0.3.7',
        `postern access explain --ip 10.255.0.1 --forwarded-for '203.0.113.9, 10.0.3.7' --zone internal`,
        `postern access explain --ip 10.0.3.7 --route 'GET /v1/jobs/:id' --token "$TOKEN"`,
      ),
    )
    .action((options: ExplainOptions) => explain(io, options))
}

async function explain(io: CommandIo, options: ExplainOptions): Promise<void> {
  const config = io.config()
  const rules = await loadAccessRules(config, options.file)
  const { admission, hops } = explainAddress(rules, options.zone, options.ip, options.forwardedFor)
  const token =
    options.token === undefined ? undefined : await judgeToken(options.token, rules, config)
  const scopes = options.route === undefined ? [] : scopesOf(rules, options.route)
  const missing = missingScopes(scopes, token)
  const isAdmitted = admission.admitted && token?.refusal === undefined && missing.length === 0
  const explained = { isAdmitted, zone: options.zone, admission, hops, scopes, missing, token }
  io.stdout.write(options.json === true ? jsonText(jsonOf(explained)) : textOf(explained))
  process.exitCode = isAdmitted ? exitCodes.ok : exitCodes.failed
}

function scopesOf(rules: AccessRules, route: string): readonly string[] {
  return Object.hasOwn(rules.routes, route) ? (rules.routes[route] ?? []) : []
}

function missingScopes(scopes: readonly string[], token: TokenVerdict | undefined): string[] {
  if (token?.principal === undefined) return []
  const granted = token.principal.scopes
  return scopes.filter((scope) => !granted.has(scope))
}

type Explained = {
  readonly isAdmitted: boolean
  readonly zone: Zone
  readonly admission: Admission
  readonly hops: readonly Hop[]
  readonly scopes: readonly string[]
  readonly missing: readonly string[]
  readonly token: TokenVerdict | undefined
}

function jsonOf({ token, admission, ...rest }: Explained): unknown {
  return { ...rest, address: admission, token: token === undefined ? undefined : tokenJson(token) }
}

function tokenJson({ principal, refusal }: TokenVerdict): unknown {
  if (principal === undefined) return { verified: false, reason: refusal }
  return { verified: true, ...principal, scopes: [...principal.scopes] }
}

function textOf({ isAdmitted, zone, admission, hops, scopes, missing, token }: Explained): string {
  const lines = [
    ...hops.map((hop, at) => {
      const role = hop.trustedBy === undefined ? 'not a proxy of ours' : `proxy, ${hop.trustedBy}`
      return `${at === 0 ? 'peer' : 'hop '}     ${hop.address}  (${role})`
    }),
    `client   ${admission.clientAddress}`,
    `zone     ${zone}`,
    admission.admitted ? `address  admitted by ${admission.rule}` : `address  ${admission.reason}`,
    ...(scopes.length === 0 ? [] : [`route    also asks for ${scopes.join(' ')}`]),
    ...tokenLines(token, missing),
    isAdmitted ? 'verdict  admitted' : 'verdict  refused',
  ]
  return `${lines.map(printable).join('\n')}\n`
}

function tokenLines(token: TokenVerdict | undefined, missing: readonly string[]): string[] {
  if (token === undefined) return []
  const { principal, refusal } = token
  if (principal === undefined) return [`token    ${refusal}`]
  return [
    `token    ${principal.subject} of ${principal.issuer}`,
    `scopes   ${[...principal.scopes].join(' ') || '(none that its issuer may grant)'}`,
    ...(missing.length === 0 ? [] : [`missing  ${missing.join(' ')}`]),
  ]
}

function checkCommand(io: CommandIo): Command {
  return new Command('check')
    .summary('validate an access file; exit 0, or 78 with one line per problem')
    .argument('[file]', 'by default POSTERN_ACCESS_FILE')
    .addHelpText(
      'after',
      examples(
        'postern access check access.json',
        'POSTERN_MODE=development postern access check access.json',
      ),
    )
    .action(async (file: string | undefined) => {
      const rules = await loadAccessRules(io.config(), file)
      const counts = zones.map((zone) => `${zone} ${countOf(rules.zones[zone].length, 'range')}`)
      io.stdout.write(`good: ${counts.join(', ')}; ${countOf(rules.issuers.length, 'issuer')}\n`)
    })
}

function countOf(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}
