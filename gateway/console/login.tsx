import { useEffect, useRef, useState } from 'preact/hooks'
import * as z from 'zod/mini'
import { Refused } from './call.ts'
import { Mark } from './mark.tsx'
import { ProblemNote } from './panel.tsx'
import { asRefused } from './poll.ts'
import { openSession, type Session, tokenIn } from './session.ts'

/** Asks for the token. `why` says why there is none any more. */
export function Login({
  why,
  onOpen,
  onRejected,
}: {
  readonly why: string | undefined
  readonly onOpen: (session: Session) => void
  readonly onRejected: (session: Session) => void
}) {
  const field = useRef<HTMLInputElement>(null)
  const [problem, setProblem] = useState<Refused | undefined>()
  const [isBusy, setBusy] = useState(false)
  useEffect(() => field.current?.focus(), [])

  async function submit(event: Event): Promise<void> {
    event.preventDefault()
    const input = field.current
    const token = tokenIn(input?.value ?? '')
    if (input !== null) input.value = ''
    if (token === undefined) {
      setProblem(new Refused({ title: 'That is no token', status: 0, detail: 'Paste it whole.' }))
      return
    }
    setBusy(true)
    try {
      const session = openSession(token, onRejected)
      await prove(session)
      onOpen(session)
    } catch (thrown) {
      setProblem(asRefused(thrown))
      setBusy(false)
      input?.focus()
    }
  }

  return (
    <main class="login" id="content">
      <form onSubmit={(event) => void submit(event)}>
        <h1>
          <Mark /> Postern console
        </h1>
        <p class="dim">
          Paste a bearer token. It is kept in the memory of this page, is sent to this gateway only,
          and is gone after you lock, leave, or do nothing for 15 minutes.
        </p>
        {why === undefined ? null : (
          <p class="why" role="status">
            {why}
          </p>
        )}
        <div class="field">
          <label for="token">Token</label>
          {/* Without a name: a form that was sent by accident would have nothing to send. */}
          <input
            ref={field}
            id="token"
            type="password"
            autocomplete="off"
            spellcheck={false}
            required
          />
        </div>
        {problem === undefined ? null : <ProblemNote problem={problem} />}
        <button type="submit" class="primary" disabled={isBusy}>
          {isBusy ? 'Asking …' : 'Unlock'}
        </button>
        <p class="dim hint">
          On a laptop <code>postern up</code> prints one; <code>postern token mint</code> makes the
          next.
        </p>
      </form>
    </main>
  )
}

/** A token that may not list queues is a token all the same: 403 has read it. */
async function prove(session: Session): Promise<void> {
  try {
    await session.json({ path: '/internal/queues' }, z.unknown())
  } catch (thrown) {
    if (thrown instanceof Refused && thrown.code === 'access.scope_missing') return
    throw thrown
  }
}
