import { expect, test } from 'bun:test'
import { join } from 'node:path'

// By a name that is put together: TypeScript has no types for what Node runs.
const { exitCodeOf, isStrict, toTextfile } = await import(
  join(import.meta.dir, '../../ci/report.mjs')
)

const check = (verdict: string) => ({ tool: 'x', verdict, findings: [] })

test.each([
  ['nothing that was checked', [], false, 2],
  ['a pass', ['passed'], true, 0],
  ['a finding', ['passed', 'findings'], false, 1],
  ['what a laptop lacks', ['passed', 'unjudged'], false, 0],
  ['what CI lacks', ['passed', 'unjudged'], true, 2],
  ['a finding beside what a laptop lacks', ['findings', 'unjudged'], false, 1],
  ['a finding beside what CI lacks', ['findings', 'unjudged'], true, 2],
  ['a bug in a check, on a laptop', ['passed', 'broken'], false, 2],
] as const)('%s: %j, strict %p, ends with %d', (_, verdicts, strict, code) => {
  expect(exitCodeOf(verdicts.map(check), strict)).toBe(code)
})

test.each([
  [{}, false],
  [{ CI: 'true' }, true],
  [{ CI_STRICT: '1' }, true],
  [{ CI: 'true', CI_STRICT: '0' }, false],
])('of an environment %j it is strict: %p', (env, strict) => {
  expect(isStrict(env)).toBe(strict)
})

test('samples of a metric stand together under one help, and labels are escaped', () => {
  const samples = [
    { metric: 'postern_ci_findings', labels: { tool: 'a"b', severity: 'high' }, value: 2 },
    { metric: 'postern_ci_step_ok', labels: { step: 's' }, value: 0 },
    { metric: 'postern_ci_findings', labels: { tool: 'c', severity: 'low' }, value: 1 },
  ]
  expect(toTextfile(samples)).toBe(`# HELP postern_ci_findings What a tool found, by severity.
# TYPE postern_ci_findings gauge
postern_ci_findings{tool="a\\"b",severity="high"} 2
postern_ci_findings{tool="c",severity="low"} 1
# HELP postern_ci_step_ok Whether a step judged everything and found nothing.
# TYPE postern_ci_step_ok gauge
postern_ci_step_ok{step="s"} 0
`)
})

test('a metric that nobody declared is a bug', () => {
  expect(() => toTextfile([{ metric: 'postern_other', labels: {}, value: 1 }])).toThrow()
})
