/** The contract against a Secret Manager that nobody here wrote, named by the environment. */
import { expect, test } from 'bun:test'
import { gcpSecretStore } from '#core/secret/gcp/gcp-secret-store.ts'
import { gcpByHand } from '../doubles/gcp-by-hand.ts'
import { storeContract } from './store-contract.ts'

const endpoint = process.env['POSTERN_TEST_GCP_ADDR']
const project = process.env['POSTERN_TEST_GCP_PROJECT'] ?? 'postern-test'
/** An access token; an emulator takes any. */
const token = process.env['POSTERN_TEST_GCP_TOKEN'] ?? 'any'
const ca = process.env['POSTERN_TEST_GCP_CA']

if (endpoint === undefined) {
  process.stderr.write(
    '\nNOT RUN: Secret Manager on an outside server (POSTERN_TEST_GCP_ADDR, _PROJECT, _TOKEN, _CA)\n\n',
  )
  test('NOT RUN for want of POSTERN_TEST_GCP_ADDR: Secret Manager was asked on the double alone', () => {
    expect(process.env['POSTERN_TEST_GCP_TOKEN']).toBeUndefined()
  })
} else {
  const login = () => Promise.resolve(token)
  storeContract(`gcp, on ${endpoint}`, async () => {
    const pem = ca === undefined ? undefined : await Bun.file(ca).text()
    const open = (at = endpoint) => gcpSecretStore({ project, login, endpoint: at, ca: pem })
    const byHand = gcpByHand({ endpoint, project, login, ca: pem })
    return {
      store: open(),
      other: open(),
      putByHand: byHand.put,
      outOfReach: () => open('http://127.0.0.1:1'),
      close: () => Promise.resolve(),
    }
  })
}
