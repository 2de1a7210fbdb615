import type { RefObject } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { ActsProvider } from './acts.tsx'
import { useNow } from './clock.ts'
import { isPaused, refreshAll, setPaused, useFreshness } from './freshness.ts'
import { Mark } from './mark.tsx'
import { hrefOf, usePlace } from './place.ts'
import { useSession } from './session.ts'
import { shortcutTexts, useShortcuts } from './shortcuts.ts'
import { durationText, relativeText } from './time-text.ts'
import { views } from './views.ts'

type ShellProps = {
  readonly theme: 'dark' | 'light'
  readonly onTheme: () => void
  readonly onLock: () => void
}

export function Shell({ theme, onTheme, onLock }: ShellProps) {
  const { view: name, rest } = usePlace()
  const view = views.find((candidate) => candidate.name === name)
  const help = useRef<HTMLDialogElement>(null)
  useShortcuts({
    help: () => help.current?.showModal(),
    togglePaused: () => setPaused(!isPaused()),
    toggleTheme: onTheme,
  })
  useEffect(() => {
    document.title = `${view?.title ?? 'Not found'} · Postern`
    // Whoever reads with the ears is told of the other view, and begins at its top.
    document.getElementById('content')?.focus({ preventScroll: true })
    scrollTo(0, 0)
  }, [view])
  const Shown = view?.component

  return (
    <>
      <button type="button" class="skip" onClick={skipToContent}>
        Skip to the content
      </button>
      <header class="top">
        <a class="brand" href={hrefOf('health')}>
          <Mark /> Postern
        </a>
        <span class="host">{location.host}</span>
        <Freshness />
        <Who />
        <button type="button" class="quiet" onClick={onTheme}>
          {theme === 'dark' ? 'Light' : 'Dark'}
        </button>
        <button type="button" class="quiet" onClick={() => help.current?.showModal()}>
          Keys <kbd>?</kbd>
        </button>
        <button type="button" onClick={onLock}>
          Lock
        </button>
      </header>
      <nav aria-label="Views">
        <ul>
          {views.map((item) => (
            <li key={item.name}>
              <a href={hrefOf(item.name)} aria-current={item.name === name ? 'page' : undefined}>
                {item.title}
                <span class="keys" aria-hidden="true">
                  g {item.key}
                </span>
              </a>
            </li>
          ))}
        </ul>
      </nav>
      <main id="content" tabIndex={-1}>
        <ActsProvider key={name}>
          {Shown === undefined ? <h1>There is no such view</h1> : <Shown rest={rest} />}
        </ActsProvider>
      </main>
      <Help dialog={help} />
    </>
  )
}

/** No link: the fragment names the view. */
function skipToContent(): void {
  document.getElementById('content')?.focus()
}

function Freshness() {
  const oldestAt = useFreshness()
  const paused = isPaused()
  const now = useNow()
  const age = oldestAt === undefined ? 'not yet' : relativeText(oldestAt, now)
  const isLate = oldestAt !== undefined && now - oldestAt > 15_000
  return (
    <span class={isLate || paused ? 'fresh late' : 'fresh'}>
      <button type="button" class="quiet" onClick={refreshAll} title="Refresh now (r)">
        Updated {age}
      </button>
      <button type="button" class="quiet" aria-pressed={paused} onClick={() => setPaused(!paused)}>
        {paused ? 'Paused' : 'Pause'}
      </button>
    </span>
  )
}

function Who() {
  const { subject, expiresAt } = useSession()
  const now = useNow()
  return (
    <span class="who">
      <strong>{subject}</strong>
      {expiresAt === undefined ? null : (
        <small> token for {durationText(expiresAt.getTime() - now)}</small>
      )}
    </span>
  )
}

function Help({ dialog }: { readonly dialog: RefObject<HTMLDialogElement | null> }) {
  return (
    <dialog ref={dialog} class="help" aria-labelledby="help-title">
      <h2 id="help-title">Keys</h2>
      <dl>
        {shortcutTexts.map(([keys, text]) => (
          <div key={keys}>
            <dt>
              <kbd>{keys}</kbd>
            </dt>
            <dd>{text}</dd>
          </div>
        ))}
      </dl>
      <div class="actions">
        <button type="button" onClick={() => dialog.current?.close()}>
          Close
        </button>
      </div>
    </dialog>
  )
}
