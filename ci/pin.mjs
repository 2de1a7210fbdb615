// `ci/pin`: the only thing that writes a digest. It asks the registry, or it writes nothing.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './dependencies.mjs'
import { complaint, findProgram, readArguments, run } from './program.mjs'
import { runStep, Unjudged } from './report.mjs'
import { readPins, writePin } from './supply/pins.mjs'

const help = `usage: ci/pin [--check] [--file DOCKERFILE]

Looks up what the tags in ARG BUILD and ARG BASE name today and writes name:tag@sha256:… in their place.
A base of distroless must carry Google's signature. --check writes nothing: a base without a digest is
*unknown* and not judged, one whose tag has moved on is a finding of medium severity.

A registry that does not answer leaves the file as it is. Exit codes: 0, 1, 2 unknown, 64 wrong use.
`

const digestForm = /^sha256:[0-9a-f]{64}$/
const distroless = [
  ...['--certificate-oidc-issuer', 'https://accounts.google.com'],
  ...['--certificate-identity', 'keyless@distroless.iam.gserviceaccount.com'],
]

function readCommand() {
  return readArguments({
    check: { type: 'boolean', default: false },
    file: { type: 'string', default: join(root, 'Dockerfile.distroless') },
  })
}

async function lookUp(name) {
  const crane = await findProgram('crane')
  const result = await run(crane, ['digest', name], { minutesMax: 1 })
  const digest = result.out.toString().trim()
  if (result.code !== 0 || !digestForm.test(digest)) {
    throw new Unjudged(`what ${name} names is unknown: crane digest ${complaint(result)}`)
  }
  return digest
}

async function requireGoogle(name, digest) {
  if (!name.startsWith('gcr.io/distroless/')) return
  const cosign = await findProgram('cosign')
  const image = `${name.split(':')[0]}@${digest}`
  const result = await run(cosign, ['verify', ...distroless, image])
  if (result.code !== 0)
    throw new Unjudged(`${image} is not signed by Google: it ${complaint(result)}`)
}

async function pin(file, pins) {
  let text = readFileSync(file, 'utf8')
  for (const { argument, name } of pins) {
    const digest = await lookUp(name)
    await requireGoogle(name, digest)
    text = writePin(text, { argument, name, digest })
  }
  writeFileSync(file, text)
}

async function compare({ argument, name, digest }) {
  if (digest === undefined) throw new Unjudged(`ARG ${argument}=${name} is unknown: run ci/pin`)
  const now = await lookUp(name)
  return now === digest ? [] : [{ severity: 'medium', text: `${name} is ${now} by now: ci/pin` }]
}

await runStep(
  'pin',
  help,
  async ({ check }) => {
    const { check: isCheck, file } = readCommand()
    const pins = readPins(readFileSync(file, 'utf8'))
    if (pins.length === 0) throw new Unjudged(`${file} has no ARG BUILD or BASE`)
    if (isCheck) for (const each of pins) await check(each.argument, () => compare(each))
    else await check('crane', () => pin(file, pins))
  },
  { strict: true },
)
