// `ci/policy-fixtures`: the plan of each fixture of policy/fixtures/plans, by the real provider and
// without a network.
import { spawnSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative, resolve } from 'node:path'
import { root } from './dependencies.mjs'

const terraformProgram = 'terraform'

const plans = join(root, 'policy/fixtures/plans')

/** Beside each fixture's own main.tf: a provider that asks nobody, and the default tags of ours. */
const frame = `terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "5.100.0"
    }
  }
}

variable "environment" {
  type    = string
  default = "prod"
}

provider "aws" {
  region                      = "eu-central-1"
  access_key                  = "offline"
  secret_key                  = "offline"
  skip_credentials_validation = true
  skip_requesting_account_id  = true
  skip_metadata_api_check     = true
  default_tags {
    tags = {
      environment = var.environment
      owner       = "platform"
      cost_center = "cc-100"
    }
  }
}
`

const help = `usage: ci/policy-fixtures [--all | --check | FOLDER …]

Makes plan.json from main.tf for each FOLDER of policy/fixtures/plans, or for those whose .tf files
git finds changed or new, or that have no plan yet; --all for all of them. --check writes nothing and
fails when a plan differs. Needs terraform, and the folder with hashicorp/aws 5.100.0 that
TF_PROVIDER_MIRROR names or that is found on this machine; else the registry is asked.

Exit codes: 0 done; 1 a plan could not be made, or differs; 64 wrong use; 69 terraform is not there.
`

function main(args) {
  if (args.includes('--help') || args.includes('-h')) return tell(help, 0)
  const isCheck = args.includes('--check')
  const isAll = isCheck || args.includes('--all')
  const named = args.filter((word) => !word.startsWith('-')).map((path) => resolve(path))
  const known = cases()
  const strange = named.filter((path) => !known.includes(path))
  const options = args.filter(
    (word) => word.startsWith('-') && !['--all', '--check'].includes(word),
  )
  if (strange.length > 0 || options.length > 0) {
    process.stderr.write(`${strange.map((path) => `no fixture: ${path}\n`).join('')}${help}`)
    return 64
  }
  const wanted = chosen({ known, named, isAll })
  if (wanted.length === 0) return tell(`${known.length} fixtures, none changed\n`, 0)
  if (spawnSync(terraformProgram, ['version']).status !== 0) {
    process.stderr.write(`
*** ${wanted.length} PLANS WERE NOT MADE: terraform is not on PATH (1.11 or newer; the recorded
*** plans can be judged without it).
`)
    return 69
  }
  const mirror = mirrorFolder()
  const failed = wanted.filter((path) => !makePlan(path, { mirror, isCheck }))
  return tell(
    `${wanted.length - failed.length} of ${wanted.length} plans as they ought to be\n`,
    failed.length > 0 ? 1 : 0,
  )
}

function tell(text, code) {
  process.stdout.write(text)
  return code
}

function cases() {
  return readdirSync(plans)
    .flatMap((rule) => readdirSync(join(plans, rule)).map((name) => join(plans, rule, name)))
    .filter((path) => existsSync(join(path, 'main.tf')))
    .sort()
}

function chosen({ known, named, isAll }) {
  if (named.length > 0) return named
  if (isAll) return known
  const { stdout } = spawnSync(
    'git',
    ['status', '--porcelain', '--untracked-files=all', '--', plans],
    {
      cwd: root,
      encoding: 'utf8',
    },
  )
  const changed = stdout.split('\n').map((line) => join(root, line.slice(3)))
  const isChanged = (path) =>
    changed.some((file) => file.startsWith(`${path}/`) && file.endsWith('.tf'))
  return known.filter((path) => isChanged(path) || !existsSync(join(path, 'plan.json')))
}

/** A folder that holds registry.terraform.io/hashicorp/aws: plain init would ask the registry. */
function mirrorFolder() {
  const named = process.env.TF_PROVIDER_MIRROR
  if (named !== undefined && named !== '') return named
  process.stderr.write(
    'looking for hashicorp/aws on this machine (TF_PROVIDER_MIRROR names it) …\n',
  )
  const where = ['/', '-xdev', '-type', 'd', '-path', '*/registry.terraform.io/hashicorp/aws']
  const { stdout } = spawnSync('find', [...where, '-print', '-quit'], { encoding: 'utf8' })
  const found = stdout.trim().split('\n')[0]
  return found === '' ? undefined : resolve(found, '../../..')
}

function makePlan(path, { mirror, isCheck }) {
  const work = mkdtempSync(join(tmpdir(), 'policy-fixture-'))
  try {
    cpSync(path, work, { recursive: true })
    writeFileSync(join(work, 'fixture.tf'), frame)
    const text = planOf(work, mirror)
    const file = join(path, 'plan.json')
    const before = existsSync(file) ? readFileSync(file, 'utf8') : undefined
    const isSame = before === text
    if (!isCheck && !isSame) writeFileSync(file, text)
    const differs = isCheck ? 'DIFFERS' : 'written'
    process.stdout.write(`${relative(plans, path)}: ${isSame ? 'the same' : differs}\n`)
    return isSame || !isCheck
  } catch (error) {
    process.stdout.write(`${relative(plans, path)}: FAILED\n${error.message}\n`)
    return false
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

function planOf(work, mirror) {
  const quiet = ['-no-color', '-input=false']
  const plugins = mirror === undefined ? [] : [`-plugin-dir=${mirror}`]
  terraform(work, ['init', ...quiet, ...plugins])
  // An errored plan is written all the same, and is a fixture too.
  const { status, said } = terraform(work, ['plan', ...quiet, '-lock=false', '-out=p'], true)
  if (!existsSync(join(work, 'p'))) throw new Error(said)
  if (status !== 0) process.stdout.write(`${said.trim().split('\n').slice(-20).join('\n')}\n`)
  const plan = JSON.parse(terraform(work, ['show', '-json', 'p']).stdout)
  delete plan.timestamp
  const text = `${JSON.stringify(sorted(plan), null, 2)}\n`
  if (text.includes(work))
    throw new Error('the plan holds a path of this machine: do not use path.*')
  return text
}

function terraform(cwd, args, mayFail = false) {
  process.stderr.write(`  terraform ${args[0]} …\n`)
  const { status, stdout, stderr } = spawnSync(terraformProgram, args, {
    cwd,
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024,
  })
  if (status !== 0 && !mayFail) throw new Error(`terraform ${args[0]}: ${stderr || stdout}`)
  return { status, stdout, said: `${stdout}${stderr}` }
}

/** Keys in one order, so that a plan differs only where something does. */
function sorted(value) {
  if (Array.isArray(value)) return value.map(sorted)
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((key) => [key, sorted(value[key])]),
  )
}

process.exitCode = main(process.argv.slice(2))
