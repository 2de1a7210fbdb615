import { type ComponentChildren, createContext } from 'preact'
import { useContext, useEffect, useRef, useState } from 'preact/hooks'
import type { Refused } from './call.ts'
import { ProblemNote } from './panel.tsx'
import { asRefused } from './poll.ts'

/** Of a person's words; the routes take no more. */
const reasonCharactersMax = 500

export type Field = {
  readonly name: string
  readonly label: string
  readonly hint?: string
  /** Given, one of these is chosen. */
  readonly choices?: readonly string[]
  readonly isOptional?: boolean
  readonly charactersMax?: number
}

export const reasonField: Field = {
  name: 'reason',
  label: 'Reason',
  hint: 'It stands in the audit record.',
  charactersMax: reasonCharactersMax,
}

/** Something that is done once a person has said yes. */
export type Act = {
  readonly title: string
  /** What follows from it, in a sentence or two. */
  readonly consequence: ComponentChildren
  readonly confirm: string
  readonly isDangerous?: boolean
  readonly fields?: readonly Field[]
  /** Resolves with what to tell; a refusal is shown in the dialog, which stays. */
  run(values: Readonly<Record<string, string>>): Promise<string>
}

export type Acts = {
  /** Asks first. */
  ask(act: Act): void
  /** Does at once what nobody has to think about, and tells what came of it. */
  run(work: () => Promise<string>): void
}

const actsContext = createContext<Acts | undefined>(undefined)

export function useActs(): Acts {
  const acts = useContext(actsContext)
  if (acts === undefined) throw new Error('invariant: views stand inside ActsProvider')
  return acts
}

type Told = { readonly text: string } | { readonly problem: Refused }

export function ActsProvider({ children }: { readonly children: ComponentChildren }) {
  const [asked, setAsked] = useState<Act | undefined>()
  const [told, setTold] = useState<Told | undefined>()
  const acts = useRef<Acts>({
    ask: (act) => {
      setTold(undefined)
      setAsked(act)
    },
    run: (work) => {
      setTold(undefined)
      work().then(
        (text) => setTold({ text }),
        (thrown: unknown) => setTold({ problem: asRefused(thrown) }),
      )
    },
  })
  return (
    <actsContext.Provider value={acts.current}>
      <div class="told" role="status" aria-live="polite">
        {told !== undefined && 'text' in told ? <p class="done">{told.text}</p> : null}
        {told !== undefined && 'problem' in told ? <ProblemNote problem={told.problem} /> : null}
        {told === undefined ? null : (
          <button type="button" class="quiet" onClick={() => setTold(undefined)}>
            Dismiss
          </button>
        )}
      </div>
      {children}
      {asked === undefined ? null : (
        <ActDialog
          key={asked.title}
          act={asked}
          onDone={(text) => {
            setAsked((now) => (now === asked ? undefined : now))
            if (text !== undefined) setTold({ text })
          }}
        />
      )}
    </actsContext.Provider>
  )
}

function ActDialog({
  act,
  onDone,
}: {
  readonly act: Act
  readonly onDone: (text: string | undefined) => void
}) {
  const dialog = useRef<HTMLDialogElement>(null)
  const [values, setValues] = useState<Readonly<Record<string, string>>>(() => firstValues(act))
  const [problem, setProblem] = useState<Refused | undefined>()
  const [isBusy, setBusy] = useState(false)
  useEffect(() => {
    const before = document.activeElement
    dialog.current?.showModal()
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus()
    }
  }, [])

  async function submit(event: Event): Promise<void> {
    event.preventDefault()
    if (isBusy) return
    setBusy(true)
    setProblem(undefined)
    try {
      onDone(await act.run(values))
    } catch (thrown) {
      setProblem(asRefused(thrown))
      setBusy(false)
    }
  }

  return (
    <dialog
      ref={dialog}
      aria-labelledby="act-title"
      // Closed, it could not tell what is still to come. In Chromium a second Esc closes it,
      // whatever becomes of the event, unless `closedby` says no, which not every browser knows.
      closedby={isBusy ? 'none' : 'closerequest'}
      onCancel={(event) => {
        if (isBusy) event.preventDefault()
      }}
      onClose={() => onDone(undefined)}
    >
      <form onSubmit={(event) => void submit(event)}>
        <h2 id="act-title">{act.title}</h2>
        <div class="consequence">{act.consequence}</div>
        {(act.fields ?? []).map((field) => (
          <FieldInput
            key={field.name}
            field={field}
            value={values[field.name] ?? ''}
            onValue={(value) => setValues((old) => ({ ...old, [field.name]: value }))}
          />
        ))}
        {problem === undefined ? null : <ProblemNote problem={problem} />}
        <div class="actions">
          <button type="button" disabled={isBusy} onClick={() => dialog.current?.close()}>
            Cancel
          </button>
          <button type="submit" class={act.isDangerous ? 'danger' : 'primary'} disabled={isBusy}>
            {act.confirm}
          </button>
        </div>
      </form>
    </dialog>
  )
}

function firstValues({ fields = [] }: Act): Record<string, string> {
  return Object.fromEntries(fields.map((field) => [field.name, field.choices?.[0] ?? '']))
}

function FieldInput({
  field,
  value,
  onValue,
}: {
  readonly field: Field
  readonly value: string
  readonly onValue: (value: string) => void
}) {
  const id = `field-${field.name}`
  const { label, hint, choices, isOptional = false, charactersMax } = field
  const hintId = hint === undefined ? undefined : `${id}-hint`
  return (
    <div class="field">
      <label for={id}>
        {label}
        {isOptional ? <span class="dim"> (optional)</span> : null}
      </label>
      {choices === undefined ? (
        <input
          id={id}
          value={value}
          required={!isOptional}
          maxLength={charactersMax}
          autocomplete="off"
          aria-describedby={hintId}
          onInput={(event) => onValue(event.currentTarget.value)}
        />
      ) : (
        <select id={id} value={value} onChange={(event) => onValue(event.currentTarget.value)}>
          {choices.map((choice) => (
            <option key={choice}>{choice}</option>
          ))}
        </select>
      )}
      {hint === undefined ? null : (
        <p id={hintId} class="dim">
          {hint}
        </p>
      )}
    </div>
  )
}
