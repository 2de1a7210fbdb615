import { expect, test } from 'bun:test'
import { madeOnce } from '#gateway/served-file.ts'

test('what could not be made is tried again for whoever asks next, what could is kept', async () => {
  let tries = 0
  const read = madeOnce(async () => {
    tries++
    if (tries === 1) throw new Error('the disk is away')
    return await Promise.resolve(tries)
  })
  const together = await Promise.allSettled([read(), read()])
  expect(together.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  expect(await read()).toBe(2)
  expect(await read()).toBe(2)
})
