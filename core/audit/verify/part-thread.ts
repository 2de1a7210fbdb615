import { openTileSource } from '../store/open-tile-store.ts'
import { checkPart } from './check-part.ts'
import { type LogReader, logReader } from './log-reader.ts'
import type { LogPlace, PartAnswer, PartRequest } from './threaded-parts.ts'

declare const self: Worker

let opened: Promise<LogReader> | undefined

self.onmessage = async ({ data }: MessageEvent<PartRequest>) => {
  const { number, place, task } = data
  try {
    opened ??= open(place)
    const result = await checkPart(await opened, task)
    answer({ number, result })
  } catch (error) {
    answer({ number, problem: error instanceof Error ? error.message : String(error) })
  }
}

async function open({ location, options }: LogPlace): Promise<LogReader> {
  return logReader(await openTileSource(location, options))
}

function answer(message: PartAnswer): void {
  self.postMessage(message)
}
