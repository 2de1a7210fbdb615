import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Verdict } from './verdicts.ts'

/** By method and name. */
export type NameCounts = ReadonlyMap<string, number>

export type Split = {
  readonly users: number
  readonly theirs: Readonly<Record<string, number>>
  readonly ours: Readonly<Record<string, number>>
}

const files = ['stats', 'stats_history', 'failures', 'exceptions'] as const
/** Deviations of a difference of two counts of chance. */
const deviations = 3

/** Whether the real Locust and ours say the same of the same load. */
export async function compareRuns(runs: {
  readonly folder: string
  readonly theirs: { readonly code: number; readonly counts: NameCounts }
  readonly ours: { readonly code: number; readonly counts: NameCounts }
  readonly split: readonly Split[]
}): Promise<readonly Verdict[]> {
  const { folder, theirs, ours, split } = runs
  const headings = await Promise.all(files.map((file) => compareHeadings(folder, file)))
  return [
    ...headings,
    ...split.map(compareSplit),
    ...compareCounts(theirs.counts, ours.counts),
    {
      name: 'exit codes',
      seen: `${theirs.code}, ${ours.code}`,
      required: 'both 0, or neither',
      fate: (theirs.code === 0) === (ours.code === 0) ? 'met' : 'missed',
    },
  ]
}

async function compareHeadings(folder: string, file: string): Promise<Verdict> {
  const head = async (run: string) => {
    const text = await readFile(join(folder, `${run}_${file}.csv`), 'utf8')
    return text.slice(0, text.indexOf('\n'))
  }
  const [theirs, ours] = await Promise.all([head('locust'), head('k6')])
  const isEqual = theirs === ours
  return {
    name: `headings of _${file}.csv`,
    seen: isEqual ? 'equal' : `${ours} in place of ${theirs}`,
    required: 'byte for byte',
    fate: isEqual ? 'met' : 'missed',
  }
}

function compareSplit({ users, theirs, ours }: Split): Verdict {
  const names = [...new Set([...Object.keys(theirs), ...Object.keys(ours)])]
  const isEqual = names.every((name) => (theirs[name] ?? 0) === (ours[name] ?? 0))
  const text = (split: Readonly<Record<string, number>>) =>
    names.map((name) => split[name] ?? 0).join('/')
  return {
    name: `${users} users as ${names.join('/')}`,
    seen: `${text(theirs)}, ours ${text(ours)}`,
    required: 'equal',
    fate: isEqual ? 'met' : 'missed',
  }
}

/** Each name's count is one of chance in both. */
export function compareCounts(theirs: NameCounts, ours: NameCounts): readonly Verdict[] {
  const names = [...new Set([...theirs.keys(), ...ours.keys()])].sort()
  return names.map((name) => {
    const [their, our] = [theirs.get(name) ?? 0, ours.get(name) ?? 0]
    const most = deviations * Math.sqrt(their + our)
    return {
      name,
      seen: `${their} of Locust, ${our} of k6`,
      required: `at most ${most.toFixed(0)} apart`,
      fate: Math.abs(their - our) <= most ? 'met' : 'missed',
    } as const
  })
}
