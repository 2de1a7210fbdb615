import { useLayoutEffect, useState } from 'preact/hooks'

/** What is shown: a view, and what of it. It stands in the fragment, which no server is sent. */
export type Place = { readonly view: string; readonly rest: string }

function placeOf(hash: string): Place {
  const [view = '', ...rest] = hash.replace(/^#\/?/, '').split('/')
  return { view: view === '' ? 'health' : view, rest: decode(rest.join('/')) }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return ''
  }
}

export function hrefOf(view: string, rest = ''): string {
  return rest === '' ? `#/${view}` : `#/${view}/${encodeURIComponent(rest)}`
}

export function goTo(view: string, rest = ''): void {
  location.hash = hrefOf(view, rest)
}

export function usePlace(): Place {
  const [place, setPlace] = useState(() => placeOf(location.hash))
  // Before anything is painted: later, a fragment that changed meanwhile would not be followed.
  useLayoutEffect(() => {
    const follow = () => setPlace(placeOf(location.hash))
    addEventListener('hashchange', follow)
    return () => removeEventListener('hashchange', follow)
  }, [])
  return place
}
