import { Command } from 'commander'
import { z } from 'zod'
import { hasUniqueMembers } from '#core/access/unique-members.ts'
import { leewaySeconds, tokenAgeSecondsMax } from '#core/access/verify-token.ts'
import { type CommandIo, exitCodes } from './command-io.ts'
import { jsonText } from './json-text.ts'
import { judgeToken } from './judge-token.ts'
import { examples } from './manual.ts'
import { loadAccessRules } from './operator-access.ts'
import { printable } from './printable.ts'
import { readStdin } from './read-stdin.ts'

const membersSchema = z.record(z.string(), z.unknown())
type Members = z.infer<typeof membersSchema>

type Inspection = {
  readonly header: Members
  readonly claims: Members
  /** Claims that are times, in words. */
  readonly times: Readonly<Record<string, string>>
  readonly warnings: readonly string[]
  /** What a gateway with the configured access file says; undefined without one. */
  readonly verdict: string | undefined
}

export function inspectCommand(io: CommandIo): Command {
  return new Command('inspect')
    .summary('print what any token says and whether the access file admits it')
    .description(`Verifies signature and claims when POSTERN_ACCESS_FILE is set; exit 1 when they are refused, 65
when the text is no token. The deny list is not asked. A token in an argument is seen by others on
the machine: prefer standard input.`)
    .argument('[token]', 'read from standard input when absent')
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      examples('postern token inspect < token.txt', 'postern token inspect --json "$TOKEN"'),
    )
    .action(async (text: string | undefined, options: { readonly json?: true }) => {
      const token = (text ?? (await readStdin(io.stdin))).trim().replace(/^bearer /i, '')
      await inspect(io, token, options.json === true)
    })
}

async function inspect(io: CommandIo, token: string, isJson: boolean): Promise<void> {
  const parts = token.split('.')
  const header = decode(parts[0])
  const claims = decode(parts[1])
  if (parts.length !== 3 || header === undefined || claims === undefined) {
    io.stderr.write(
      'this is no signed token in compact form (three parts, JSON in the first two)\n',
    )
    process.exitCode = exitCodes.badData
    return
  }
  const now = new Date()
  const verdict = await verdictOf(io, token)
  const inspection: Inspection = {
    header: header.members,
    claims: claims.members,
    times: timesOf(claims.members, now),
    warnings: [
      ...tokenWarnings(header.members, claims.members),
      ...(header.isUnique && claims.isUnique ? [] : ['names a member twice']),
    ],
    verdict,
  }
  io.stdout.write(isJson ? jsonText(inspection) : textOf(inspection))
  if (verdict !== undefined && verdict !== 'verified') process.exitCode = exitCodes.failed
}

async function verdictOf(io: CommandIo, token: string): Promise<string | undefined> {
  const config = io.config()
  if (config.POSTERN_ACCESS_FILE === undefined) return undefined
  const { refusal } = await judgeToken(token, await loadAccessRules(config), config)
  return refusal ?? 'verified'
}

function decode(part: string | undefined): { members: Members; isUnique: boolean } | undefined {
  const text = Buffer.from(part ?? '', 'base64url').toString('utf8')
  try {
    const parsed = membersSchema.safeParse(JSON.parse(text))
    return parsed.success ? { members: parsed.data, isUnique: hasUniqueMembers(text) } : undefined
  } catch {
    return undefined
  }
}

const timeClaims = ['iat', 'nbf', 'exp'] as const
/** The last second that `Date` can name (ECMA-262, 21.4.1.1). */
const dateSecondsMax = 8.64e12

/** Each as RFC 3339 with its distance from now. */
function timesOf(claims: Members, now: Date): Record<string, string> {
  const times: Record<string, string> = {}
  for (const claim of timeClaims) {
    const seconds = claims[claim]
    if (typeof seconds !== 'number') continue
    times[claim] =
      Math.abs(seconds) <= dateSecondsMax
        ? `${new Date(seconds * 1_000).toISOString()} (${distance(seconds - now.getTime() / 1_000)})`
        : 'beyond all dates'
  }
  return times
}

function distance(seconds: number): string {
  const whole = Math.round(Math.abs(seconds))
  const words = [
    [Math.floor(whole / 86_400), 'd'],
    [Math.floor(whole / 3_600) % 24, 'h'],
    [Math.floor(whole / 60) % 60, 'min'],
    [whole % 60, 's'],
  ] as const
  const shown = words.filter(([count]) => count > 0).slice(0, 2)
  const text = shown.map(([count, unit]) => `${count} ${unit}`).join(' ')
  if (text === '') return 'now'
  return seconds < 0 ? `${text} ago` : `in ${text}`
}

/** What Postern would refuse whoever signed it, and what is unwise. */
function tokenWarnings(header: Members, claims: Members): string[] {
  const warnings: string[] = []
  if (typeof header['alg'] === 'string' && /^none$/i.test(header['alg'])) {
    warnings.push('alg is none: not signed')
  }
  if (typeof header['kid'] !== 'string') warnings.push('no kid: refused')
  for (const claim of ['iss', 'sub', 'jti']) {
    if (typeof claims[claim] !== 'string' || claims[claim] === '') {
      warnings.push(`${claim} is not a non-empty string: refused`)
    }
  }
  if (claims['aud'] === undefined) warnings.push('no aud: refused')
  for (const claim of ['iat', 'exp']) {
    if (!Number.isInteger(claims[claim])) warnings.push(`${claim} is not a whole number: refused`)
  }
  return [...warnings, ...lifetimeWarnings(claims)]
}

function lifetimeWarnings({ iat, exp }: Members): string[] {
  if (typeof iat !== 'number' || typeof exp !== 'number') return []
  if (exp - iat <= tokenAgeSecondsMax) return []
  return [`lives longer than a day: refused ${tokenAgeSecondsMax + leewaySeconds} s after iat`]
}

function textOf({ header, claims, times, warnings, verdict }: Inspection): string {
  const lines = [
    'header',
    ...Object.entries(header).map(([name, value]) => memberLine(name, value)),
    'claims',
    ...Object.entries(claims).map(([name, value]) => memberLine(name, value, times[name])),
    ...warnings.map((warning) => `warning: ${warning}`),
    `verdict: ${verdict ?? 'not verified (POSTERN_ACCESS_FILE is not set)'}`,
  ]
  return `${lines.join('\n')}\n`
}

function memberLine(name: string, value: unknown, time?: string): string {
  return printable(`  ${name}  ${JSON.stringify(value)}${time === undefined ? '' : `  ${time}`}`)
}
