import { parsedJson } from '#core/reading/parsed-json.ts'
import { type FaultServer, faultServer } from './fault-server.ts'
import { type GcpLogins, gcpLogins } from './gcp-logins.ts'
import {
  type Asked,
  type AskedSecret,
  addVersion,
  askVersion,
  createSecret,
  getSecret,
  googleError,
  page,
  patchSecret,
  type Secret,
  secretJson,
  versionJson,
} from './gcp-rules.ts'

export const gcpProject = 'postern-test'
/** Answers spell the project so, whatever it was asked by. */
const projectNumber = '123456789012'

export type GcpDouble = FaultServer &
  GcpLogins & {
    /** Versions that are added from now on are seen so many requests for them later. */
    hideNewFor(requests: number): void
    /** The request is none for a login. */
    isForSecrets(request: Request): boolean
  }

/** Secret Manager, and what gives out the tokens for it, with the service's own rules. */
export function gcpDouble(): GcpDouble {
  const secrets = new Map<string, Secret>()
  const logins = gcpLogins()
  let hiddenFor = 0

  const server = faultServer(async (request) => {
    const login = await logins.serve(request)
    if (login !== undefined) return login
    if (!logins.isValid(request.headers.get('authorization'))) {
      return googleError('UNAUTHENTICATED', 'Request had invalid authentication credentials.')
    }
    const url = new URL(request.url)
    const [, project = '', rest = ''] =
      /^\/v1\/projects\/([^/]+)\/secrets(.*)$/.exec(url.pathname) ?? []
    if (project === '') return pageNotFound()
    if (project !== gcpProject && project !== projectNumber) {
      return googleError('PERMISSION_DENIED', 'Permission denied on the project.')
    }
    const text = await request.text()
    const parent = `projects/${projectNumber}`
    const asked = { parent, query: url.searchParams, body: text === '' ? {} : parsedJson(text) }
    return ofProject(request.method, rest, asked)
  })

  function ofProject(method: string, rest: string, asked: Asked): Response {
    if (rest === '' && method === 'POST') return createSecret(secrets, asked)
    if (rest === '' && method === 'GET') {
      const all = [...secrets.values()].reverse()
      return page(
        all.map((each) => secretJson(each, asked.parent)),
        asked.query,
        'secrets',
      )
    }
    const [, id = '', below = ''] = /^\/([^/:]+)(.*)$/.exec(rest) ?? []
    const secret = secrets.get(id)
    if (secret === undefined) return googleError('NOT_FOUND', `Secret [${id}] not found.`)
    if (method === 'DELETE' && below === '') {
      secrets.delete(id)
      return Response.json({})
    }
    return ofSecret(method, below, { ...asked, secret })
  }

  function ofSecret(method: string, below: string, asked: AskedSecret): Response {
    const [, version, verb = ''] = /^\/versions\/([^/:]+)(?::(\w+))?$/.exec(below) ?? []
    const isReading = verb === '' || verb === 'access'
    if (version !== undefined && method === (isReading ? 'GET' : 'POST')) {
      return askVersion(asked, version, verb)
    }
    switch (`${method} ${below}`) {
      case 'GET ':
        return getSecret(asked)
      case 'PATCH ':
        return patchSecret(asked)
      case 'POST :addVersion':
        return addVersion(asked, hiddenFor)
      case 'GET /versions': {
        const seen = asked.secret.versions.filter((each) => each.hiddenFor === 0).reverse()
        return page(
          seen.map((each) => versionJson(each, asked)),
          asked.query,
          'versions',
        )
      }
      default:
        return pageNotFound()
    }
  }

  return {
    ...server,
    ...logins,
    isForSecrets: (request) =>
      /^\/v1\/projects\/[^/]+\/secrets/.test(new URL(request.url).pathname),
    hideNewFor(requests) {
      hiddenFor = requests
    },
  }
}

/** What Google's front end answers for a path that no service has. */
function pageNotFound(): Response {
  const headers = { 'content-type': 'text/html' }
  return new Response('<!DOCTYPE html><title>Error 404 (Not Found)</title>', {
    status: 404,
    headers,
  })
}
