import { gcpMetadataLogin } from '#core/secret/gcp/gcp-login.ts'
import { gcpSecretStore } from '#core/secret/gcp/gcp-secret-store.ts'
import { type FaultServer, faultServer } from './fault-server.ts'
import { gcpByHand } from './gcp-by-hand.ts'
import { type GcpDouble, gcpProject } from './gcp-double.ts'

/**
 * Two processes that log in at the double's metadata server and ask at `url`, and an operator who
 * asks the double itself.
 */
export function gcpSubject(double: GcpDouble, url = double.url) {
  const login = () => gcpMetadataLogin({ metadataUrl: double.url })
  const open = (endpoint = url) => gcpSecretStore({ project: gcpProject, endpoint, login: login() })
  const byHand = gcpByHand({ endpoint: double.url, project: gcpProject, login: login() })
  return {
    store: open(),
    other: open(),
    byHand,
    putByHand: byHand.put,
    outOfReach: () => open('http://127.0.0.1:1'),
    close: () => double.stop(),
  }
}

/** Answers so, and does not serve, where the path ends so. */
export function strikeOn(
  double: GcpDouble,
  end: string,
  answer: { readonly status: number; readonly body: string; readonly times?: number },
): void {
  const { status, body, times = 1 } = answer
  double.strike(
    { kind: 'answer', status, body },
    { times, isMeant: (request) => new URL(request.url).pathname.endsWith(end) },
  )
}

/** Stands before the double; `act` comes between a store's decision and its next `METHOD /path…end`. */
export function interposed(
  double: GcpDouble,
  next: { readonly method: string; readonly end: string; readonly act: () => Promise<unknown> },
): FaultServer {
  let isDone = false
  return faultServer(async (request) => {
    const { pathname, search } = new URL(request.url)
    if (!isDone && request.method === next.method && pathname.endsWith(next.end)) {
      isDone = true
      await next.act()
    }
    const body = await request.text()
    return await fetch(`${double.url}${pathname}${search}`, {
      method: request.method,
      headers: { authorization: request.headers.get('authorization') ?? '' },
      ...(body === '' ? {} : { body }),
    })
  })
}
