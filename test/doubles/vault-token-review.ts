import { generateKeyPair, SignJWT } from 'jose'
import { certificates } from '../support/certificates.ts'

/** A Kubernetes API server as far as Vault's login asks one: who is this token's? */
export type TokenReview = {
  readonly url: string
  /** PEM of the authority that vouches for it. */
  readonly ca: string
  /** Of the service account `postern` in the namespace `default`, as a pod finds it in its file. */
  podToken(): Promise<string>
  /** Nobody is known any more. */
  forgetAll(): void
  stop(): Promise<void>
}

const account = { namespace: 'default', name: 'postern', uid: crypto.randomUUID() }
const username = `system:serviceaccount:${account.namespace}:${account.name}`

export async function tokenReview(): Promise<TokenReview> {
  const known = new Set<string>()
  const { privateKey } = await generateKeyPair('ES256')
  const { caFile, good } = await certificates()
  const server = Bun.serve({
    tls: { cert: Bun.file(good.certificateFile), key: Bun.file(good.keyFile) },
    hostname: '127.0.0.1',
    port: 0,
    async fetch(request) {
      const text = await request.text()
      const isKnown = [...known].some((token) => text.includes(token))
      const user = { username, uid: account.uid, groups: ['system:serviceaccounts'] }
      return Response.json({
        ...{ kind: 'TokenReview', apiVersion: 'authentication.k8s.io/v1' },
        status: isKnown ? { authenticated: true, user } : { authenticated: false },
      })
    },
  })
  return {
    ca: await Bun.file(caFile).text(),
    url: `https://127.0.0.1:${server.port}`,
    async podToken() {
      const { namespace, name, uid } = account
      const claims = { 'kubernetes.io': { namespace, serviceaccount: { name, uid } } }
      const token = await new SignJWT({ sub: username, ...claims })
        .setProtectedHeader({ alg: 'ES256' })
        .setIssuedAt()
        .setExpirationTime('1h')
        .sign(privateKey)
      known.add(token)
      return token
    },
    forgetAll: () => known.clear(),
    stop: () => server.stop(true),
  }
}
