import { messagesOf, queryMessage, type WireMessage, wireMessage } from './wire-message.ts'

/** Runs a unit of protocol messages and returns all that the server answers. */
export type ExecuteRaw = (unit: Uint8Array) => Promise<Uint8Array>

/** One client of the session. */
export type SessionMember = {
  /** Channels it has asked to hear. */
  readonly channels: ReadonlySet<string>
  write(bytes: Uint8Array): void
}

type Unit = { readonly member: SessionMember; readonly bytes: Uint8Array }

/**
 * One database session for many connections. A connection keeps the session from its first message
 * until the server is ready for a new transaction; the units of the others wait. Notifications go
 * to those who listen, whoever was executing when they came.
 */
export function sharedSession(execute: ExecuteRaw) {
  const members = new Set<SessionMember>()
  let waiting: Unit[] = []
  let holder: SessionMember | undefined
  let running: Promise<void> | undefined

  function nextUnit(): Unit | undefined {
    const index = holder === undefined ? 0 : waiting.findIndex((unit) => unit.member === holder)
    const unit = waiting[index]
    if (unit === undefined) return undefined
    waiting.splice(index, 1)
    return unit
  }

  async function run(): Promise<void> {
    for (let unit = nextUnit(); unit !== undefined; unit = nextUnit()) {
      holder = unit.member
      deliver(unit.member, messagesOf(await execute(unit.bytes)))
    }
  }

  function deliver(member: SessionMember, answer: readonly WireMessage[]): void {
    const own: Uint8Array[] = []
    for (const message of answer) {
      if (message.type === 'A') notify(message)
      else own.push(message.bytes)
      // ReadyForQuery; its one byte says whether a transaction is open.
      if (message.type === 'Z' && message.bytes[5] === idle) holder = undefined
    }
    if (own.length > 0) member.write(Buffer.concat(own))
  }

  function notify(message: WireMessage): void {
    const channel = channelOf(message)
    for (const member of members) {
      if (member.channels.has(channel)) member.write(message.bytes)
    }
  }

  function pump(): void {
    running ??= run().finally(() => {
      running = undefined
      if (waiting.some((unit) => holder === undefined || unit.member === holder)) pump()
    })
  }

  function submit(member: SessionMember, bytes: Uint8Array): void {
    waiting.push({ member, bytes })
    pump()
  }

  return {
    join: (member: SessionMember) => members.add(member),
    submit,
    /** Forgets a connection; a transaction it left open is rolled back, its statements dropped. */
    leave(member: SessionMember, statements: ReadonlySet<string>): void {
      members.delete(member)
      waiting = waiting.filter((unit) => unit.member !== member)
      const tidy = [...statements].map((name) => `deallocate "${name.replaceAll('"', '""')}"`)
      const after = (): void => {
        const silent = { channels: member.channels, write: () => undefined }
        if (holder === member) {
          holder = silent
          submit(silent, abandon)
        }
        for (const text of tidy) submit(silent, queryMessage(text))
      }
      // What is running belongs to it, or to another: only afterwards is it known who holds.
      if (running === undefined) after()
      else void running.then(after, after)
    },
    hears: (channel: string) => [...members].some((member) => member.channels.has(channel)),
    idle: async () => {
      while (running !== undefined) await running.catch(() => undefined)
    },
  }
}

export type SharedSession = ReturnType<typeof sharedSession>

/** The Sync first: after a failed Parse or Execute the server skips everything up to one. */
const abandon = Buffer.concat([wireMessage('S', new Uint8Array()), queryMessage('rollback')])

const idle = 'I'.charCodeAt(0)
const notificationHeaderBytes = 9

/** NotificationResponse: process id, channel, payload. */
function channelOf({ bytes }: WireMessage): string {
  const end = bytes.indexOf(0, notificationHeaderBytes)
  return new TextDecoder().decode(bytes.subarray(notificationHeaderBytes, end))
}
