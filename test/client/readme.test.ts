import { expect, test } from 'bun:test'
import { join } from 'node:path'

const root = join(import.meta.dir, '..', '..')

test('what README shows of the client is the example that the tests run', async () => {
  const readme = await Bun.file(join(root, 'README.md')).text()
  const example = await Bun.file(join(root, 'client/examples/score-wallet.ts')).text()
  expect(readme).toContain(`\`\`\`ts\n${example}\`\`\`\n`)
})
