import { useEffect, useRef } from 'preact/hooks'
import { refreshAll } from './freshness.ts'
import { goTo } from './place.ts'
import { views } from './views.ts'

/** Milliseconds between `g` and the letter behind it. */
const chordMsMax = 1_500

export type Shortcuts = {
  help(): void
  togglePaused(): void
  toggleTheme(): void
}

export const shortcutTexts: readonly (readonly [string, string])[] = [
  ...views.map((view) => [`g ${view.key}`, view.title] as const),
  ['/', 'Search jobs, or the filter of this view'],
  ['j  k', 'Next and previous row'],
  ['r', 'Refresh now'],
  ['p', 'Stop refreshing, or go on'],
  ['t', 'Dark or light'],
  ['Esc', 'Close, or leave a field'],
  ['?', 'This list'],
]

/** Keys without a modifier, and none while somebody types: those are the field's. */
export function useShortcuts(acts: Shortcuts): void {
  const current = useRef(acts)
  current.current = acts
  useEffect(() => {
    const isBehindG = chord()
    const onKey = (event: KeyboardEvent) => {
      if (isOthers(event)) return
      if (isBehindG(event.key)) goByKey(event.key)
      else if (act(event.key, current.current)) event.preventDefault()
    }
    document.addEventListener('keydown', onKey)
    return () => document.removeEventListener('keydown', onKey)
  }, [])
}

/** Whether a key comes soon behind `g`. */
function chord(): (key: string) => boolean {
  let gAt = Number.NEGATIVE_INFINITY
  return (key) => {
    const isBehind = performance.now() - gAt < chordMsMax
    gAt = key === 'g' && !isBehind ? performance.now() : Number.NEGATIVE_INFINITY
    return isBehind
  }
}

/** Of the browser, or of the field that somebody types in. */
function isOthers(event: KeyboardEvent): boolean {
  return event.ctrlKey || event.metaKey || event.altKey || isTyping(event)
}

function goByKey(pressed: string): void {
  const view = views.find(({ key }) => key === pressed)
  if (view !== undefined) goTo(view.name)
}

function isTyping({ target, key }: KeyboardEvent): boolean {
  if (!(target instanceof HTMLElement)) return false
  if (document.querySelector('dialog[open]') !== null) return true
  if (!target.matches('input, select, textarea')) return false
  if (key === 'Escape') target.blur()
  return true
}

function act(key: string, acts: Shortcuts): boolean {
  switch (key) {
    case '?':
      acts.help()
      return true
    case '/':
      search()
      return true
    case 'j':
      return moveRow(1)
    case 'k':
      return moveRow(-1)
    case 'r':
      refreshAll()
      return true
    case 'p':
      acts.togglePaused()
      return true
    case 't':
      acts.toggleTheme()
      return true
    default:
      return false
  }
}

/** The search of this view, or that of jobs. */
function search(): void {
  const field = document.querySelector<HTMLElement>('main input[type=search]')
  if (field !== null) field.focus()
  else goTo('jobs')
}

function moveRow(step: 1 | -1): boolean {
  const links = [...document.querySelectorAll<HTMLElement>('main tbody tr a, main tbody tr button')]
  const firsts = links.filter((link) => firstOf(link.closest('tr')) === link)
  if (firsts.length === 0) return false
  const row = document.activeElement?.closest('tr')
  const at = firsts.findIndex((link) => link.closest('tr') === row)
  const next = at < 0 ? 0 : Math.min(firsts.length - 1, Math.max(0, at + step))
  firsts[next]?.focus()
  return true
}

function firstOf(row: Element | null): Element | null {
  return row?.querySelector('a, button') ?? null
}
