import { SecretsManager } from '@aws-sdk/client-secrets-manager'
import type { AwsKeys } from '#core/secret/aws/aws-client.ts'
import { awsSecretStore } from '#core/secret/aws/aws-secret-store.ts'
import { boundedHandler } from '#core/secret/aws/bounded-handler.ts'
import type { StoreSubject } from './store-contract.ts'

/** A port that nobody listens on: the discard service, which is not there. */
const nowhere = 'http://127.0.0.1:9'

export type AwsPlace = {
  readonly region: string
  readonly endpoint: string
  readonly credentials: AwsKeys
  readonly ca?: string | undefined
}

/** The contract's view of the store at a place; by hand one writes as the SDK's users do. */
export function awsSubject(place: AwsPlace, close: () => Promise<void>): StoreSubject {
  const { region, endpoint, credentials, ca } = place
  const byHand = new SecretsManager({
    ...{ region, endpoint, credentials: { ...credentials } },
    requestHandler: boundedHandler({ ca }),
  })
  return {
    store: awsSecretStore(place),
    other: awsSecretStore(place),
    async putByHand(name, members) {
      const SecretString = JSON.stringify(members)
      const { VersionId = '' } = await byHand.createSecret({ Name: name, SecretString })
      return VersionId
    },
    outOfReach: () => awsSecretStore({ ...place, endpoint: nowhere }),
    async close() {
      byHand.destroy()
      await close()
    },
  }
}
