import { readFile } from 'node:fs/promises'
import { Command, InvalidArgumentError } from 'commander'
import { answerCheckpoint } from '#core/audit/witness/answer-checkpoint.ts'
import { listenWitness } from '#core/audit/witness/listen-witness.ts'
import { respondWitness } from '#core/audit/witness/respond-witness.ts'
import { createWitnessStore, openWitnessStore } from '#core/audit/witness/sqlite-witness-store.ts'
import { parseTrustedLogs } from '#core/audit/witness/trusted-logs.ts'
import { type Config, ConfigError } from '#core/config.ts'
import { openLog } from '#core/log.ts'
import { bind } from './bind.ts'
import type { CommandIo } from './command-io.ts'
import { listenerTls } from './listener-tls.ts'
import { examples } from './manual.ts'
import { openSecretReader } from './open-secret-store.ts'
import { runService, type Service } from './run-service.ts'
import { keygenCommand, readWitnessKey } from './witness-key.ts'

type Place = { readonly address: string; readonly port: number }

/** Loopback: who may reach a witness is said by whoever deploys it. */
const listenDefault: Place = { address: '127.0.0.1', port: 8090 }

export function witnessCommand(io: CommandIo): Command {
  return new Command('witness')
    .summary('cosign checkpoints of logs that only grow (C2SP tlog-witness)')
    .description(`Run it where the log's operators have no access: another account, host and key.`)
    .addCommand(serveCommand(io), { isDefault: true })
    .addCommand(initCommand(io))
    .addCommand(keygenCommand(io))
    .addHelpText(
      'after',
      examples(
        'postern witness keygen --name witness.example.com/w1 --key witness.key',
        'postern witness init --key witness.key --data /var/lib/postern-witness',
        `postern witness --listen 0.0.0.0:8090 --key witness.key --data /var/lib/postern-witness \
      --logs logs.txt`,
      ),
    )
}

type ServeOptions = {
  readonly listen: Place
  readonly key: string
  readonly data: string
  readonly logs: string
}

function serveCommand(io: CommandIo): Command {
  return new Command('serve')
    .summary('answer logs over HTTP; what `postern witness` alone does')
    .description(`Answers POST /add-checkpoint, GET /<hex SHA-256 of the origin>/checkpoint and GET /healthz, over
TLS with POSTERN_TLS_CERTIFICATE and POSTERN_TLS_KEY. Never restore its data from a backup, and
never make it anew for the same key: a witness that forgot makes forks possible. Lost? Retire the
key.`)
    .option('--listen <address:port>', 'where to answer', parsePlace, listenDefault)
    .requiredOption('--key <file>', 'signer key, mode 0400 or 0600, or secret:<name>#<member>')
    .requiredOption('--data <directory>', 'what was cosigned; made by `postern witness init`')
    .requiredOption('--logs <file>', 'whom to cosign: a policy file, or verifier keys, one a line')
    .addHelpText(
      'after',
      examples(
        'postern witness serve --key witness.key --data /var/lib/postern-witness --logs logs.txt',
        `postern witness --listen 0.0.0.0:8090 --key 'secret:witness/signer#key' \
      --data /var/lib/postern-witness --logs policy.txt`,
      ),
    )
    .action((options: ServeOptions) => serve(io, options))
}

function initCommand(io: CommandIo): Command {
  return new Command('init')
    .summary('make the memory of a witness whose key has never cosigned anything')
    .requiredOption('--key <file>', 'signer key, or secret:<name>#<member>')
    .requiredOption('--data <directory>', 'where to keep what was cosigned')
    .addHelpText(
      'after',
      examples('postern witness init --key witness.key --data /var/lib/postern-witness'),
    )
    .action(async ({ key, data }: { readonly key: string; readonly data: string }) => {
      const signer = await readWitnessKey(openSecretReader(io.config()), key)
      createWitnessStore(data, signer.key)
      io.stdout.write(
        `${data}: made for ${signer.key.name}; it must outlive every host and backup\n`,
      )
    })
}

async function serve(io: CommandIo, options: ServeOptions): Promise<void> {
  const config = io.config()
  const log = openLog({ level: config.POSTERN_LOG_LEVEL, fields: { process: 'witness' } })
  await runService(io, {
    log,
    start: (service) => startWitness(config, options, service),
    onSignal: (signal) => log.info('witness.stopping', { signal }),
  })
}

async function startWitness(
  config: Config,
  options: ServeOptions,
  { log, stack }: Service,
): Promise<void> {
  const secrets = openSecretReader(config)
  const signer = await readWitnessKey(secrets, options.key)
  const logs = parseTrustedLogs(await readText('--logs', options.logs))
  const tls = await listenerTls(config, secrets)
  const store = stack.adopt(openWitnessStore(options.data, signer.key), (open) => open.close())
  const answer = answerCheckpoint({ signer, logs, store, now: () => new Date() })
  const respond = respondWitness({ answer, store, log })
  const listener = bind('--listen', options.listen, () =>
    listenWitness({ respond, ...options.listen, tls }),
  )
  stack.defer(() => listener.stop(config.POSTERN_DRAIN_SECONDS * 1_000))
  log.info('witness.ready', {
    url: listener.url,
    witness: signer.key.name,
    origins: [...logs.keys()],
  })
}

async function readText(option: string, path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
    // biome-ignore lint/style/useErrorCause: its lines are all that is ever shown of a ConfigError.
    throw new ConfigError([`${option}: ${path} cannot be read (${code})`])
  }
}

/** `127.0.0.1:8090`, `[::1]:8090`. */
function parsePlace(text: string): Place {
  const [, bracketed, bare, digits] =
    /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]+)):([0-9]{1,5})$/.exec(text) ?? []
  const address = bracketed ?? bare
  const port = Number(digits)
  if (address !== undefined && port <= 65_535) return { address, port }
  throw new InvalidArgumentError('Write 127.0.0.1:8090, [::1]:8090 or 0.0.0.0:8090.')
}
