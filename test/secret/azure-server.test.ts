import { expect, test } from 'bun:test'
import { readFile } from 'node:fs/promises'
import type { AzureLogin } from '#core/secret/azure/azure-login.ts'
import { azureSecretStore } from '#core/secret/azure/azure-secret-store.ts'
import { deleteAzureSecret, putAzureSecret } from './azure-by-hand.ts'
import { freshName, type StoreSubject, storeContract } from './store-contract.ts'

/**
 * `POSTERN_TEST_AZURE_ADDR`: a vault's URL. `_TOKEN`: a bearer token for it, such as
 * `az account get-access-token --resource https://vault.azure.net` prints; an emulator may take
 * any. `_CA`: a file of PEM where no public authority vouches for it.
 */
const address = process.env['POSTERN_TEST_AZURE_ADDR'] ?? ''
const token = process.env['POSTERN_TEST_AZURE_TOKEN'] ?? 'any'
const caFile = process.env['POSTERN_TEST_AZURE_CA']

async function serverSubject(): Promise<StoreSubject> {
  const vaultUrl = new URL(address).origin
  const ca = caFile === undefined ? undefined : await readFile(caFile, 'utf8')
  const login: AzureLogin = {
    secretZero: 'a token for tests',
    login: async () => ({ token, lifetimeMs: 3_600_000 }),
  }
  const open = () => azureSecretStore({ vaultUrl, login, ca })
  const byHand = { vaultUrl, token, ca }
  const prefix = freshName().replace(/[^/]+$/, '')
  return {
    store: open(),
    other: open(),
    putByHand: (name, members) => putAzureSecret(byHand, name, members),
    outOfReach: () => azureSecretStore({ vaultUrl: 'http://127.0.0.1:1', login }),
    async close() {
      const own = (await open().list()).filter((name) => name.startsWith(prefix))
      for (const name of own) await deleteAzureSecret(byHand, name)
    },
  }
}

if (address === '') {
  process.stderr.write(
    '\n*** NOT RUN: the secret store contract against an outside Azure Key Vault.\n' +
      '*** Name one by POSTERN_TEST_AZURE_ADDR (and _TOKEN, _CA).\n\n',
  )
  test('NOT RUN against an outside Azure Key Vault: POSTERN_TEST_AZURE_ADDR names none', () => {
    expect(process.env['POSTERN_TEST_AZURE_ADDR'] ?? '').toBe('')
  })
} else {
  storeContract(`Azure Key Vault at ${new URL(address).host}`, serverSubject)
}
