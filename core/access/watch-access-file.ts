import { watch } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { dirname } from 'node:path'

/** The latest a change is seen where the file system gives no events (network mounts). */
const pollMs = 1_000
/** Bytes; more is not read into memory to find out that it is too long. */
const fileBytesMax = 4_194_304

export type AccessFileWatch = {
  /** Looks now; resolves when a change was dealt with. */
  check(): Promise<void>
  close(): void
}

/** Throws a plain `Error` when the file cannot be read or is far too long. */
export async function readAccessFile(path: string): Promise<string> {
  const { size } = await stat(path)
  if (size > fileBytesMax) throw new Error(`longer than ${fileBytesMax} bytes`)
  return await readFile(path, 'utf8')
}

/**
 * Calls `onText` with each new content, `onUnreadable` once when the file cannot be read. What
 * counts is the content behind the path, so that a rename over it, a symlink swapped under it (as
 * Kubernetes does) and a write in place are all seen; events only make it quicker.
 */
export function watchAccessFile(options: {
  readonly path: string
  /** The content already in force. */
  readonly text: string
  /** False: not settled, give the same content again at the next look. */
  readonly onText: (text: string) => Promise<boolean>
  readonly onUnreadable: (error: unknown) => Promise<void>
}): AccessFileWatch {
  const { path, onText, onUnreadable } = options
  let seenText: string | undefined = options.text
  let seenStat = ''
  let running: Promise<void> | undefined

  async function look(): Promise<void> {
    let text: string
    try {
      const { dev, ino, size, mtimeMs, ctimeMs } = await stat(path)
      const mark = [dev, ino, size, mtimeMs, ctimeMs].join(' ')
      if (mark === seenStat) return
      text = await readAccessFile(path)
      seenStat = mark
    } catch (error) {
      seenStat = ''
      if (seenText === undefined) return
      seenText = undefined
      await onUnreadable(error)
      return
    }
    if (text === seenText) return
    seenText = text
    if (await onText(text)) return
    seenText = undefined
    seenStat = ''
  }

  function check(): Promise<void> {
    running ??= look().finally(() => {
      running = undefined
    })
    return running
  }

  const timer = setInterval(() => void check(), pollMs)
  timer.unref()
  const stopEvents = watchFolder(dirname(path), () => void check())
  return {
    check,
    close() {
      clearInterval(timer)
      stopEvents()
    },
  }
}

function watchFolder(folder: string, onEvent: () => void): () => void {
  try {
    const watcher = watch(folder, { persistent: false }, onEvent)
    watcher.on('error', () => watcher.close())
    return () => watcher.close()
  } catch {
    // No inotify left, or none at all: the poll finds the change.
    return () => undefined
  }
}
