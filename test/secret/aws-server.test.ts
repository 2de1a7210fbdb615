import { expect, test } from 'bun:test'
import { SecretsManager } from '@aws-sdk/client-secrets-manager'
import { awsSecretStore } from '#core/secret/aws/aws-secret-store.ts'
import { boundedHandler } from '#core/secret/aws/bounded-handler.ts'
import { faultServer } from '../doubles/fault-server.ts'
import { type AwsPlace, awsSubject } from './aws-subject.ts'
import { freshName, type StoreSubject, storeContract } from './store-contract.ts'
import { type StruckSubject, storeFaultContract } from './store-fault-contract.ts'

/**
 * `POSTERN_TEST_AWS_ADDR`: the URL of a server with the API of AWS Secrets Manager, or of the
 * service in a region. `_REGION`, `_KEY_ID`, `_KEY` and `_SESSION`: how to log in; a stand-in takes
 * any. `_CA`: a file of PEM where no public authority vouches for it.
 */
const setting = (name: string) => process.env[`POSTERN_TEST_AWS_${name}`]
const endpoint = setting('ADDR') ?? ''

async function place(): Promise<AwsPlace> {
  const [caFile, sessionToken] = [setting('CA'), setting('SESSION')]
  return {
    endpoint,
    region: setting('REGION') ?? 'us-east-1',
    credentials: {
      accessKeyId: setting('KEY_ID') ?? 'test',
      secretAccessKey: setting('KEY') ?? 'test',
      ...(sessionToken === undefined ? {} : { sessionToken }),
    },
    ca: caFile === undefined ? undefined : await Bun.file(caFile).text(),
  }
}

async function serverSubject(): Promise<StoreSubject> {
  const { ca, ...at } = await place()
  const prefix = freshName().replace(/[^/]+$/, '')
  const subject: StoreSubject = awsSubject({ ...at, ca }, async () => {
    const client = new SecretsManager({ ...at, requestHandler: boundedHandler({ ca }) })
    const own = (await subject.store.list()).filter((name) => name.startsWith(prefix))
    for (const SecretId of own) {
      await client.deleteSecret({ SecretId, ForceDeleteWithoutRecovery: true })
    }
  })
  return subject
}

/** A stand-in does not look at signatures, and so what it is sent may come through another. */
async function struckSubject(): Promise<StruckSubject> {
  const front = faultServer(async (request) => {
    const { pathname } = new URL(request.url)
    const { method, headers } = request
    return await fetch(`${new URL(endpoint).origin}${pathname}`, {
      ...{ method, headers, body: await request.arrayBuffer(), decompress: false },
    })
  })
  return {
    store: awsSecretStore({ ...(await place()), endpoint: front.url }),
    strike: (fault, times = 1) => front.strike(fault, { times }),
    clear: front.clear,
    close: () => front.stop(),
  }
}

if (endpoint === '') {
  process.stderr.write(
    '\n*** NOT RUN: the secret store contract against an outside AWS Secrets Manager.\n' +
      '*** Name one by POSTERN_TEST_AWS_ADDR, or run ci/test-stores.sh, which brings one.\n\n',
  )
  test('NOT RUN against an outside AWS Secrets Manager, and nobody set what belongs to one', () => {
    const names = Object.keys(process.env).filter((name) => name.startsWith('POSTERN_TEST_AWS_'))
    expect(names.filter((name) => name !== 'POSTERN_TEST_AWS_ADDR')).toEqual([])
  })
} else {
  const { host, protocol } = new URL(endpoint)
  storeContract(`AWS Secrets Manager at ${host}`, serverSubject)
  if (protocol === 'http:') {
    const asked = { hasLogins: false, hidesNew: false }
    storeFaultContract(`AWS Secrets Manager at ${host}`, struckSubject, asked)
  }
}
