import { expect, test } from 'bun:test'
import type { SecretUse } from '#core/secret/secret-follower.ts'
import { usesByName } from '../../commands/follow-logins.ts'

function use(name: string, version: string, adopt: SecretUse['adopt']): SecretUse {
  return { name, version, members: {}, adopt }
}

test('two credentials of one secret are taken over together, and proved only when both are', async () => {
  const adopted: string[] = []
  const note = (what: string) => async () => void adopted.push(what)
  let isRefused = true
  const uses = usesByName([
    use('postern/all', '1', note('database')),
    use('postern/other', '4', note('other')),
    use('postern/all', '1', async () => {
      if (isRefused) throw new Error('refused')
      adopted.push('redis')
    }),
  ])
  expect(uses.map(({ name, version }) => `${name} ${version}`)).toEqual([
    'postern/all 1',
    'postern/other 4',
  ])
  await expect(uses[0]?.adopt({})).rejects.toThrow('refused')
  isRefused = false
  await uses[0]?.adopt({})
  expect(adopted).toEqual(['database', 'database', 'redis'])
})

test('a secret that is changed between the reads of one start is read again by another start', () => {
  const adopt = () => Promise.resolve()
  const uses = [use('postern/all', '1', adopt), use('postern/all', '2', adopt)]
  expect(() => usesByName(uses)).toThrow('postern/all was changed while this process started')
})
