import { azureManagedIdentity } from '#core/secret/azure/azure-login.ts'
import { azureSecretStore } from '#core/secret/azure/azure-secret-store.ts'
import type { SecretStore } from '#core/secret/secret-store.ts'
import { type AzureDouble, azureDouble } from '../doubles/azure-double.ts'
import { putAzureSecret } from './azure-by-hand.ts'
import { type StoreSubject, storeContract } from './store-contract.ts'
import { type StruckSubject, storeFaultContract } from './store-fault-contract.ts'

function storeOf({ url }: AzureDouble): SecretStore {
  return azureSecretStore({ vaultUrl: url, login: azureManagedIdentity({ host: url }) })
}

async function doubleSubject(): Promise<StoreSubject> {
  const double = azureDouble()
  return {
    store: storeOf(double),
    other: storeOf(double),
    putByHand: (name, members) =>
      putAzureSecret({ vaultUrl: double.url, token: double.issueToken() }, name, members),
    outOfReach: () =>
      azureSecretStore({
        vaultUrl: 'http://127.0.0.1:1',
        login: azureManagedIdentity({ host: double.url }),
      }),
    close: () => double.stop(),
  }
}

async function struckSubject(): Promise<StruckSubject> {
  const double = azureDouble()
  const isMeant = ({ headers }: Request) => headers.has('authorization')
  return {
    store: storeOf(double),
    strike: (fault, times = 1) => double.strike(fault, { times, isMeant }),
    clear: () => double.clear(),
    expireLogins: () => double.expireTokens(),
    hideNewFor: (requests) => double.hideNewFor(requests),
    close: () => double.stop(),
  }
}

storeContract('azure double', doubleSubject)
storeFaultContract('azure double', struckSubject, { hasLogins: true, hidesNew: true })
