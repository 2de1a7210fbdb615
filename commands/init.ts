import { lstat, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Command, Option } from 'commander'
import {
  type AccessDocument,
  developmentIssuer,
  parseAccessDocument,
  type TokenAlgorithm,
  tokenAlgorithms,
} from '#core/access/access-file.ts'
import { developmentAudience, loadOrCreateDevelopmentKey } from '#core/access/development-issuer.ts'
import { ConfigError, parseConfig } from '#core/config.ts'
import { type CommandIo, exitCodes } from './command-io.ts'
import { initFiles, initFolders, initSettings, type Plan } from './init-files.ts'
import { examples } from './manual.ts'

/** A service's fair share to begin with. */
const limitDefault = { perSecond: 100, burst: 200 }
/** The container's own check, and whoever sits on the host. */
const loopback = ['127.0.0.0/8', '::1/128']

type InitOptions = {
  readonly mode: 'production' | 'development'
  readonly cidr: readonly string[]
  readonly internalCidr: readonly string[]
  readonly issuer?: string
  readonly audience?: string
  readonly algorithm?: TokenAlgorithm
  readonly jwksUrl?: string
  readonly scope: readonly string[]
  readonly auditOrigin?: string
}

export function initCommand(io: CommandIo): Command {
  return new Command('init')
    .summary('write an access file, settings and a deployment to start from')
    .description(`Writes access/access.json with a page that explains it, postern.env with every setting, compose.yaml
(in production) and README.md with the next steps. Asks nothing, and writes over nothing: what is in
the way is named, and nothing is made then.

In development without --issuer the tokens of \`postern token mint\` are taken, by the development key
of the directory.`)
    .argument('[directory]', 'where to; made when it is missing', '.')
    .addOption(
      new Option('--mode <mode>', 'what it is for')
        .choices(['production', 'development'])
        .default('production'),
    )
    .requiredOption('--cidr <range...>', 'ranges that services call from, such as 10.0.3.0/24')
    .option('--internal-cidr <range...>', 'ranges that operators call from; none without', [])
    .option('--issuer <url>', 'who signs tokens: their iss')
    .option('--audience <name>', 'what their aud has to name')
    .addOption(
      new Option('--algorithm <name>', 'what they are signed with').choices(
        tokenAlgorithms.filter((name) => name !== 'HS256'),
      ),
    )
    .option('--jwks-url <url>', 'where the issuer publishes its keys, https')
    .option('--scope <scope...>', 'all that its tokens may grant', ['jobs:read'])
    .option('--audit-origin <name>', 'the name of the audit log: a URL without scheme')
    .addHelpText(
      'after',
      examples(
        `postern init deployment --cidr 10.0.3.0/24 --issuer https://id.example.com \
          --audience postern --algorithm RS256 --jwks-url https://id.example.com/jwks.json \
          --scope jobs:read jobs:write:scoring --audit-origin postern.example.com/prod/audit`,
        'postern init laptop --mode development --cidr 127.0.0.0/8',
      ),
    )
    .action(async (directory: string, options: InitOptions, command: Command) => {
      const fault = faultOf(options)
      if (fault !== undefined) command.error(`error: ${fault}`)
      await init(io, { directory, options, command })
    })
}

/** What is wrong with a command line, in words; undefined for one that can be run. */
function faultOf({ mode, ...given }: InitOptions): string | undefined {
  const about = ['issuer', 'audience', 'algorithm', 'jwksUrl'] as const
  const missing = about.filter((name) => given[name] === undefined)
  const isOwn = mode === 'development' && missing.length === about.length
  if (missing.length > 0 && !isOwn) {
    return `name the issuer of tokens: ${missing.map(flagOf).join(', ')} missing`
  }
  if (mode === 'production' && given.auditOrigin === undefined) {
    return 'in production the audit log needs its name: --audit-origin'
  }
  return undefined
}

function flagOf(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
}

type Asked = {
  readonly directory: string
  readonly options: InitOptions
  readonly command: Command
}

async function init(io: CommandIo, { directory, options, command }: Asked): Promise<void> {
  const draft = draftOf(options, command)
  const inTheWay = await existing(initFiles(draft).map(({ path }) => join(directory, path)))
  if (inTheWay.length > 0) {
    for (const path of inTheWay) io.stderr.write(`${path}: is there already; nothing was made\n`)
    process.exitCode = exitCodes.failed
    return
  }
  await mkdir(directory, { recursive: true })
  for (const [path, mode] of initFolders(draft)) {
    await mkdir(join(directory, path), { recursive: true, mode })
  }
  for (const { path, text, mode } of initFiles(await withOwnIssuer(draft, directory))) {
    await writeFile(join(directory, path), text, { mode, flag: 'wx' })
    io.stdout.write(`${join(directory, path)}\n`)
  }
  io.stdout.write(`\nNext: ${join(directory, 'README.md')}\n`)
}

/** All of it but a key that is still to be made; what a gateway would not take is a mistake of use. */
function draftOf(options: InitOptions, command: Command): Plan {
  const { mode, scope: scopes, auditOrigin: origin, issuer } = options
  const access = accessOf(options, issuer === undefined ? [] : [issuerOf(options, issuer)])
  const plan = { mode, access, scopes, origin }
  try {
    parseAccessDocument(access, mode)
    parseConfig(initSettings(plan))
    return plan
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return command.error(error.problems.map((problem) => `error: ${problem}`).join('\n'))
  }
}

/** Where no issuer was named, the one of `postern token mint`. */
async function withOwnIssuer(draft: Plan, directory: string): Promise<Plan> {
  if (draft.access.issuers.length > 0) return draft
  const issuers = [await ownIssuer(directory, draft.scopes)]
  return { ...draft, access: { ...draft.access, issuers } }
}

function accessOf(
  { cidr, internalCidr }: InitOptions,
  issuers: AccessDocument['issuers'],
): AccessDocument {
  return {
    zones: { v1: [...cidr], internal: [...internalCidr], probe: loopback },
    trustedProxies: { header: 'x-forwarded-for', proxies: [] },
    issuers,
    limits: { default: limitDefault },
    callbackPrefixes: [],
  }
}

type Issuer = AccessDocument['issuers'][number]

function issuerOf({ audience, algorithm, jwksUrl, scope }: InitOptions, issuer: string): Issuer {
  return {
    issuer,
    audiences: audience === undefined ? [] : [audience],
    algorithms: algorithm === undefined ? [] : [algorithm],
    keys: { jwksUrl: jwksUrl ?? '' },
    scopes: [...scope],
  }
}

async function ownIssuer(directory: string, scopes: readonly string[]): Promise<Issuer> {
  const { publicJwk } = await loadOrCreateDevelopmentKey(join(directory, '.postern'))
  return {
    issuer: developmentIssuer,
    audiences: [developmentAudience],
    algorithms: ['EdDSA'],
    keys: { jwks: { keys: [{ ...publicJwk }] } },
    scopes: [...scopes],
  }
}

async function existing(paths: readonly string[]): Promise<readonly string[]> {
  const found = await Promise.all(
    paths.map(async (path) => {
      const isThere = await lstat(path).then(
        () => true,
        () => false,
      )
      return isThere ? [path] : []
    }),
  )
  return found.flat()
}
