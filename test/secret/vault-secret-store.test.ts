import type { SecretStore } from '#core/secret/secret-store.ts'
import type { VaultLogin } from '#core/secret/vault/vault-login.ts'
import { vaultSecretStore } from '#core/secret/vault/vault-secret-store.ts'
import { type VaultDouble, vaultDouble, vaultMount } from '../doubles/vault-double.ts'
import { vaultProofs, vaultRootToken } from '../doubles/vault-logins.ts'
import { type StoreSubject, storeContract } from './store-contract.ts'
import { type StruckSubject, storeFaultContract } from './store-fault-contract.ts'
import { putVaultSecret } from './vault-by-hand.ts'

const login: VaultLogin = {
  kind: 'approle',
  roleId: vaultProofs.roleId,
  secretId: async () => `${vaultProofs.secretId}\n`,
}

function storeOf({ url }: Pick<VaultDouble, 'url'>): SecretStore {
  return vaultSecretStore({ address: url, mount: vaultMount, login })
}

async function doubleSubject(): Promise<StoreSubject> {
  const double = vaultDouble()
  const admin = { address: double.url, token: vaultRootToken }
  return {
    store: storeOf(double),
    other: storeOf(double),
    putByHand: (name, members) => putVaultSecret(admin, `${vaultMount}/data/${name}`, members),
    outOfReach: () => storeOf({ url: 'http://127.0.0.1:1' }),
    close: () => double.stop(),
  }
}

async function struckSubject(): Promise<StruckSubject> {
  const double = vaultDouble()
  return {
    store: storeOf(double),
    strike: (fault, times = 1) =>
      double.strike(fault, { times, isMeant: (request) => double.isForSecrets(request) }),
    clear: () => double.clear(),
    expireLogins: () => double.expireTokens(),
    close: () => double.stop(),
  }
}

storeContract('vault double', doubleSubject)
storeFaultContract('vault double', struckSubject, { hasLogins: true, hidesNew: false })
