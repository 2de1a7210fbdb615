import { useCallback, useEffect, useState } from 'preact/hooks'
import { Login } from './login.tsx'
import { idleMsMax, type Session, SessionProvider } from './session.ts'
import { Shell } from './shell.tsx'

type Theme = 'dark' | 'light'

type Held = { readonly session?: Session; readonly why?: string }

/** With a session the console, without one the question for a token. */
export function Console() {
  const [{ session, why }, setHeld] = useState<Held>({})
  const [theme, setTheme] = useState<Theme>(systemTheme)
  const lock = useCallback((reason: string) => setHeld({ why: reason }), [])
  useEffect(() => {
    document.documentElement.dataset['theme'] = theme
  }, [theme])
  useLockWhenAway(session, lock)

  if (session === undefined) {
    // The answer may be late, and another session open by now.
    const onRejected = (rejected: Session) =>
      setHeld((held) =>
        held.session === rejected ? { why: 'The gateway takes this token no more.' } : held,
      )
    return (
      <Login why={why} onOpen={(opened) => setHeld({ session: opened })} onRejected={onRejected} />
    )
  }
  return (
    <SessionProvider value={session}>
      <Shell
        theme={theme}
        onTheme={() => setTheme(theme === 'dark' ? 'light' : 'dark')}
        onLock={() => lock('Locked.')}
      />
    </SessionProvider>
  )
}

function systemTheme(): Theme {
  return matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light'
}

const signsOfLife = ['keydown', 'pointerdown', 'pointermove', 'wheel', 'touchstart'] as const
/** Milliseconds between two looks: a timer as long as the wait would stand still with the machine. */
const lookMs = 5_000

function useLockWhenAway(session: Session | undefined, lock: (reason: string) => void): void {
  useEffect(() => {
    if (session === undefined) return
    let livedAt = Date.now()
    const live = () => {
      livedAt = Date.now()
    }
    const look = setInterval(() => {
      if (Date.now() - livedAt >= idleMsMax) lock('Locked after 15 minutes without a sign of life.')
      else if (session.expiresAt !== undefined && Date.now() >= session.expiresAt.getTime()) {
        lock('The token has expired.')
      }
    }, lookMs)
    // The back/forward cache would keep this page with all that it holds.
    const leave = () => lock('Locked when you left the page.')
    addEventListener('pagehide', leave)
    for (const sign of signsOfLife) document.addEventListener(sign, live, { passive: true })
    return () => {
      clearInterval(look)
      removeEventListener('pagehide', leave)
      for (const sign of signsOfLife) document.removeEventListener(sign, live)
    }
  }, [session, lock])
}
