import { databaseSecret, type RotationSide, type RotationStage } from './rotation-stage.ts'

/** Milliseconds between two looks at what is counted; a process is asked again once it has answered. */
const scrapeMs = 250
const readyMsMax = 120_000

type Member = {
  readonly side: RotationSide
  isReady: boolean
  isKilled: boolean
  scraping: Promise<void> | undefined
  /** `secrets_rotated_total`, as it was last seen. */
  rotated: number
  /** `postern_rotation_step_failures_total` of `settle`. */
  unsettled: number
}

export type RotationCrew = ReturnType<typeof rotationCrew>

/** The rotators of a stage: started, killed, and watched for what they count and how they end. */
export function rotationCrew(stage: Pick<RotationStage, 'spawn'>, faults: string[]) {
  const members = new Set<Member>()
  const all: Member[] = []
  let isFollowing = false

  const alive = () => [...members]

  async function spawn(): Promise<void> {
    const more = isFollowing ? { POSTERN_DATABASE_URL: `secret:${databaseSecret}#url` } : {}
    const side = await stage.spawn('rotator', more)
    const member: Member = {
      side,
      isReady: false,
      isKilled: false,
      rotated: 0,
      unsettled: 0,
      scraping: undefined,
    }
    members.add(member)
    all.push(member)
    void side.child.exited.then((code) => {
      members.delete(member)
      // One that has lost an answer while it started is started again, as a supervisor does.
      if (!member.isKilled && member.isReady) faults.push(`a rotator ended with ${code}`)
    })
  }

  function scrape(member: Member): Promise<void> {
    member.scraping ??= scrapeOnce(member).finally(() => {
      member.scraping = undefined
    })
    return member.scraping
  }

  async function scrapeOnce(member: Member): Promise<void> {
    const answer = await fetch(`${member.side.probeUrl}/metrics`).catch(() => undefined)
    if (answer?.ok !== true) return
    const text = await answer.text().catch(() => '')
    member.isReady = true
    member.rotated = sample(text, 'secrets_rotated_total{backend="file"}') ?? member.rotated
    member.unsettled =
      sample(text, 'postern_rotation_step_failures_total{step="settle"}') ?? member.unsettled
  }

  const timer = setInterval(() => {
    for (const member of members) void scrape(member)
  }, scrapeMs)

  async function kill(victims: readonly Member[]): Promise<void> {
    for (const member of victims) {
      member.isKilled = true
      members.delete(member)
      member.side.child.kill('SIGKILL')
    }
    await Promise.all(victims.map(({ side }) => side.child.exited))
  }

  return {
    alive,
    /** From now on they log in with the secret of the database, or not. */
    follow(whether: boolean) {
      isFollowing = whether
    },
    async ensure(count: number): Promise<void> {
      while (members.size < count) await spawn()
    },
    async ready(count: number): Promise<void> {
      const endsAt = performance.now() + readyMsMax
      while (alive().filter(({ isReady }) => isReady).length < count) {
        if (performance.now() > endsAt) throw new Error('no rotator is ready')
        while (members.size < count) await spawn()
        await Promise.all([...alive().map(scrape), Bun.sleep(scrapeMs / 10)])
      }
    },
    /** The one that has been there longest, or all. */
    kill: (which: 'one' | 'all') => kill(which === 'all' ? alive() : alive().slice(0, 1)),
    async scrapeAll() {
      await Promise.all(alive().map(scrape))
    },
    rotated: () => all.reduce((sum, { rotated }) => sum + rotated, 0),
    unsettled: () => all.reduce((sum, { unsettled }) => sum + unsettled, 0),
    async stop() {
      clearInterval(timer)
      await kill(alive())
    },
  }
}

function sample(text: string, name: string): number | undefined {
  const line = text.split('\n').find((each) => each.startsWith(`${name} `))
  return line === undefined ? undefined : Number(line.slice(name.length + 1))
}
