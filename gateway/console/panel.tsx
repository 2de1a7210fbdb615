import type { ComponentChildren } from 'preact'
import type { Refused } from './call.ts'
import { Shape } from './marks.tsx'
import type { Polled } from './poll.ts'

/** What was told instead of an answer: title, detail, and the request to look for in the log. */
export function ProblemNote({
  problem,
  scope,
}: {
  readonly problem: Refused
  readonly scope?: string | undefined
}) {
  const isScope = problem.code === 'access.scope_missing'
  return (
    <div class="problem" role={isScope ? 'note' : 'alert'}>
      <Shape tone={isScope ? 'idle' : 'bad'} />
      <div>
        <strong>{problem.title}</strong>
        {problem.detail === undefined ? null : <p>{problem.detail}</p>}
        {isScope && scope !== undefined ? (
          <p>
            This panel needs <code>{scope}</code>.
          </p>
        ) : null}
        <p class="dim">
          {problem.status === 0 ? null : `${problem.status} `}
          {problem.code === undefined ? null : <code>{problem.code}</code>}
          {problem.requestId === undefined ? null : (
            <>
              {' · request '}
              <code>{problem.requestId}</code>
            </>
          )}
        </p>
      </div>
    </div>
  )
}

export function Empty({ children }: { readonly children: ComponentChildren }) {
  return <p class="empty">{children}</p>
}

type SectionProps = {
  readonly title: string
  readonly actions?: ComponentChildren
  readonly note?: ComponentChildren
  readonly isBusy?: boolean
  readonly children: ComponentChildren
}

/** A part of a view, under a heading that names it. */
export function Section({ title, actions, note, isBusy, children }: SectionProps) {
  const id = `panel-${title.toLowerCase().replaceAll(/[^a-z]+/g, '-')}`
  return (
    <section class="panel" aria-labelledby={id} aria-busy={isBusy}>
      <header>
        <h2 id={id}>{title}</h2>
        {note === undefined ? null : <p class="dim">{note}</p>}
        {actions === undefined ? null : <div class="actions">{actions}</div>}
      </header>
      {children}
    </section>
  )
}

type PanelProps<Value> = {
  readonly title: string
  /** The scope its route asks for. */
  readonly scope: string
  readonly polled: Polled<Value>
  readonly actions?: ComponentChildren
  readonly note?: ComponentChildren
  readonly children: (value: Value) => ComponentChildren
}

/**
 * A part of a view with a question of its own: what refuses it refuses nothing beside it. The last
 * answer stays below a problem that came later.
 */
export function Panel<Value>(props: PanelProps<Value>) {
  const { title, scope, polled, actions, note, children } = props
  const { value, problem, isLoading } = polled
  return (
    <Section title={title} note={note} actions={actions} isBusy={isLoading}>
      {problem === undefined ? null : <ProblemNote problem={problem} scope={scope} />}
      {isLoading ? <Empty>Loading …</Empty> : null}
      {value === undefined ? null : children(value)}
    </Section>
  )
}

export type Column<Row> = {
  readonly head: string
  /** Left out where there is no room for it. */
  readonly isWideOnly?: boolean
  readonly isNumber?: boolean
  readonly cell: (row: Row) => ComponentChildren
}

/** `label` names the group that scrolls sideways where the table is wider than the screen. */
export function Table<Row>({
  label,
  rows,
  keyOf,
  columns,
  classOf,
}: {
  readonly label: string
  readonly rows: readonly Row[]
  readonly keyOf: (row: Row) => string
  readonly columns: readonly Column<Row>[]
  readonly classOf?: (row: Row) => string | undefined
}) {
  const classes = ({ head, isWideOnly = false, isNumber = false }: Column<Row>) =>
    [isWideOnly ? 'wide-only' : '', isNumber ? 'number' : '', head === 'Acts' ? 'acts' : '']
      .join(' ')
      .trim() || undefined
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reachable by keyboard.
    // biome-ignore lint/a11y/useSemanticElements: no set of fields; a section would be a landmark each.
    <div class="scroll" role="group" aria-label={label} tabIndex={0}>
      <table>
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column.head} scope="col" class={classes(column)}>
                {column.head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={keyOf(row)} class={classOf?.(row)}>
              {columns.map((column) => (
                <td key={column.head} class={classes(column)}>
                  {column.cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
