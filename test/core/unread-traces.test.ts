import { expect, test } from 'bun:test'
import { tracingChannel } from 'node:diagnostics_channel'
import { skipUnreadTraces } from '#core/job/unread-traces.ts'

test('a traced command is traced only for as long as somebody listens', () => {
  skipUnreadTraces()
  const channel = tracingChannel('postern:test')
  expect(channel.hasSubscribers).toBe(false)
  const listener = () => undefined
  channel.end.subscribe(listener)
  expect(channel.hasSubscribers).toBe(true)
  expect(tracingChannel('postern:other').hasSubscribers).toBe(false)
  channel.end.unsubscribe(listener)
  expect(channel.hasSubscribers).toBe(false)
})
