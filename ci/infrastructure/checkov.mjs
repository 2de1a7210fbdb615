// What checkov says of deploy/, the Dockerfile and the workflows, less what ci/checkov.yaml explains.
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../dependencies.mjs'
import { complaint, findProgram, must, parseReport, run } from '../program.mjs'
import { Unjudged } from '../report.mjs'
import { planted, writeManifests } from './manifests.mjs'

const frameworks = ['terraform', 'kubernetes', 'dockerfile', 'github_actions']
const explanations = join(root, 'ci', 'checkov.yaml')
const terraform = join(root, 'deploy', 'terraform')

export async function checkov(rendered, folder, note) {
  const program = await findProgram('checkov')
  const explained = await readExplained()
  const stage = stageFiles(rendered, join(folder, 'checkov'))
  const found = readReports(await ask(program, stage, frameworks), frameworks)
  checkPlanted(found)
  const findings = found.filter(({ file }) => !isPlanted(file))
  // One after another: each knows its modules by other values, and only so it is told which root it is.
  for (const name of [
    'bootstrap',
    ...readdirSync(join(terraform, 'envs')).map((env) => `envs/${env}`),
  ]) {
    const report = await ask(program, join(terraform, name), ['terraform'])
    findings.push(...readReports(report, ['terraform']).map((each) => ({ ...each, root: name })))
  }
  const judged = judgeExplained(findings, explained)
  note('explained', judged.explained)
  return judged.findings
}

async function ask(program, path, which) {
  const args = ['--skip-download', '--compact', '--output', 'json', '--directory', path]
  const result = await run(program, [...args, '--framework', ...which])
  if (result.code > 1) throw new Unjudged(`it ${complaint(result)}`)
  return parseReport('checkov', result.out)
}

/** The roots of a repository, for a workflow is one by where it lies. */
function stageFiles(rendered, stage) {
  writeManifests(rendered, stage)
  cpSync(join(root, 'Dockerfile.distroless'), join(stage, 'Dockerfile.distroless'))
  cpSync(join(root, '.github'), join(stage, '.github'), { recursive: true })
  const workflows = join(stage, 'planted', '.github', 'workflows')
  mkdirSync(workflows, { recursive: true })
  cpSync(join(planted, 'workflow.yaml'), join(workflows, 'planted.yaml'))
  for (const name of ['manifest.yaml', 'Dockerfile', 'main.tf']) {
    writeFileSync(join(stage, 'planted', name), readFileSync(join(planted, name)))
  }
  return stage
}

/** `{ framework, check, resource, file, name }` of all that failed; a file not understood is no pass. */
export function readReports(report, wanted) {
  const reports = [report].flat()
  const of = (framework) => reports.find(({ check_type: type }) => type === framework)
  for (const framework of wanted) {
    const { passed = 0, failed = 0, skipped = 0 } = of(framework)?.summary ?? {}
    if (passed + failed + skipped === 0) throw new Unjudged(`it has judged nothing of ${framework}`)
  }
  const broken = reports.flatMap(({ results }) => results.parsing_errors)
  if (broken.length > 0) throw new Unjudged(`it cannot read ${broken.join(', ')}`)
  return reports.flatMap(({ check_type: framework, results }) =>
    [
      ...results.failed_checks,
      // A comment in a file is read by nobody who reads ci/checkov.yaml.
      ...results.skipped_checks,
    ].map(({ check_id: check, check_name: name, resource, file_path: file }) => ({
      ...{ framework, check, name, file },
      // Of a file that is judged by its path: where it lies on this machine is not said.
      resource: resource.replace(/^.*\/(?=Dockerfile)/, ''),
    })),
  )
}

const isPlanted = (file) => file.startsWith('/planted/')

function checkPlanted(found) {
  for (const framework of frameworks) {
    const isFound = found.some((each) => each.framework === framework && isPlanted(each.file))
    if (!isFound) throw new Unjudged(`it finds nothing in what was planted for ${framework}`)
  }
}

/** One explanation for one resource, whatever its key is, in one root or in all of them. */
export function judgeExplained(found, explained) {
  const plain = (resource) => resource.replaceAll(/\[[^\]]*\]/g, '')
  const isOf = (each, { check, resource, root: where }) =>
    each.check === check &&
    (where === undefined || where === each.root) &&
    (plain(each.resource) === resource || plain(each.resource).endsWith(`.${resource}`))
  const open = found.filter((each) => !explained.some((entry) => isOf(each, entry)))
  const stale = explained.filter((entry) => !found.some((each) => isOf(each, entry)))
  return {
    explained: found.length - open.length,
    findings: [
      ...open.map(({ check, name, resource, root: where }) => ({
        severity: 'high',
        text: `${check} at ${resource}${where === undefined ? '' : ` of ${where}`}: ${name}`,
      })),
      ...stale.map(({ check, resource }) => ({
        severity: 'high',
        text: `ci/checkov.yaml explains ${check} at ${resource}, which is not found`,
      })),
    ],
  }
}

async function readExplained() {
  const conftest = await findProgram('conftest')
  return checkExplained(JSON.parse(await must(conftest, ['parse', explanations])))
}

/** An explanation without a reason is none. */
export function checkExplained(entries) {
  const known = ['check', 'resource', 'root', 'because']
  for (const entry of entries) {
    const isWhole = ['check', 'resource', 'because'].every((key) => `${entry[key] ?? ''}` !== '')
    if (!isWhole || Object.keys(entry).some((key) => !known.includes(key))) {
      throw new Unjudged(`ci/checkov.yaml: not an explanation: ${JSON.stringify(entry)}`)
    }
  }
  return entries
}
