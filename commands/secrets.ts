import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { Command } from 'commander'
import { listFileSecrets, writeFileSecret } from '#core/secret/file-secret-store.ts'
import { keyBytes } from '#core/secret/key-file.ts'
import { type CommandIo, exitCodes } from './command-io.ts'
import { jsonText } from './json-text.ts'
import { examples } from './manual.ts'
import { fileStoreOptions } from './open-secret-store.ts'
import { readStdin } from './read-stdin.ts'
import { required } from './require-settings.ts'
import { secretNameArgument } from './secret-name-argument.ts'
import { checkCommand, listCommand, revokeSecretCommand } from './secrets-overview.ts'
import { historyCommand, rollbackCommand, rotateCommand } from './secrets-rotate.ts'
import { setRotationCommand } from './secrets-set-rotation.ts'

const keyFileMode = 0o400

export function secretsCommand(io: CommandIo): Command {
  return new Command('secrets')
    .summary('keep credentials in the file store; rotate those of any store')
    .addCommand(keygenCommand(io))
    .addCommand(putCommand(io))
    .addCommand(storedCommand(io))
    .addCommand(listCommand(io))
    .addCommand(checkCommand(io))
    .addCommand(revokeSecretCommand(io))
    .addCommand(setRotationCommand(io))
    .addCommand(rotateCommand(io))
    .addCommand(rollbackCommand(io))
    .addCommand(historyCommand(io))
    .addHelpText(
      'after',
      examples(
        'postern secrets put postern/database < database.json',
        'postern secrets list',
        'postern secrets rotate postern/database',
      ),
    )
}

function keygenCommand(io: CommandIo): Command {
  return new Command('keygen')
    .summary('make the key file of the store; never writes over one')
    .argument('[file]', 'by default POSTERN_SECRET_BOOTSTRAP_FILE')
    .addHelpText('after', examples('postern secrets keygen /run/postern/key'))
    .action(async (file: string | undefined) => {
      const path = file ?? required(io.config(), 'POSTERN_SECRET_BOOTSTRAP_FILE')
      const text = `${randomBytes(keyBytes).toString('base64url')}\n`
      try {
        await writeFile(path, text, { mode: keyFileMode, flag: 'wx' })
      } catch (error) {
        io.stderr.write(`${path} cannot be made: ${codeOf(error)}\n`)
        process.exitCode = exitCodes.failed
        return
      }
      io.stdout.write(`${path}: made, mode 0400; whoever holds it can open the store\n`)
    })
}

function putCommand(io: CommandIo): Command {
  return new Command('put')
    .summary('store a JSON object of strings from standard input as the next version')
    .description(`The whole object is replaced. Refer to a member as secret:<name>#<member>.`)
    .argument('<name>', 'e.g. postern/database', secretNameArgument)
    .addHelpText(
      'after',
      examples(
        'postern secrets put postern/database < database.json',
        `echo '{"url":"rediss://…"}' | postern secrets put postern/redis`,
      ),
    )
    .action(async (name: string) => {
      const options = fileStoreOptions(io.config())
      const members = parseJson(await readStdin(io.stdin))
      if (members === undefined) {
        io.stderr.write('standard input is not JSON\n')
        process.exitCode = exitCodes.badData
        return
      }
      const { version } = await writeFileSecret({ ...options, name, members })
      io.stdout.write(`${name}: version ${version}\n`)
    })
}

function storedCommand(io: CommandIo): Command {
  return new Command('stored')
    .summary('print references and versions of the file store, never values')
    .option('--json', 'as JSON')
    .addHelpText('after', examples('postern secrets stored'))
    .action(async ({ json }: { readonly json?: true }) => {
      const secrets = await listFileSecrets(fileStoreOptions(io.config()))
      const lines = secrets.flatMap(({ name, version, members }) =>
        members.map((member) => `secret:${name}#${member}  version ${version}\n`),
      )
      io.stdout.write(json === true ? jsonText(secrets) : lines.join(''))
    })
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
}
