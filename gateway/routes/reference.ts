import { z } from 'zod'
import { PosternError } from '#core/errors.ts'
import { readReferenceScript } from '../reference-script.ts'
import { defineRoute, type Route } from '../route.ts'
import {
  answerFile,
  keptForGood,
  madeOnce,
  nameByContent,
  type ServedFile,
  servedFile,
} from '../served-file.ts'

/** Nothing that Scalar would ask of its makers' servers, and nothing that it would keep in the browser. */
const configuration = {
  url: '/openapi.json',
  theme: 'default',
  telemetry: false,
  withDefaultFonts: false,
  hideClientButton: true,
  showDeveloperTools: 'never',
  persistAuth: false,
  agent: { disabled: true },
  mcp: { disabled: true },
  authentication: { preferredSecurityScheme: 'bearer' },
}

/**
 * Scalar makes style elements and attributes as it goes, some without the nonce that it has for
 * others: inline styles have to be let in. Scripts have not, and nothing is asked of other hosts.
 */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'unsafe-inline'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

/** Scalar's zod would try to generate code, which the policy refuses and reports. */
const prologue = 'globalThis.__zod_globalConfig={jitless:true};\n'

/** The reference for people, made in their browser from `/openapi.json`, in whose zone it lies. */
export function referenceRoutes(): readonly Route[] {
  // 5 MB to read and pack: nobody should start slower for a page that may never be asked for.
  const load = madeOnce(loadScript)
  return [pageRoute(load), scriptRoute(load)]
}

async function loadScript(): Promise<ServedFile> {
  return await servedFile(
    prologue + (await readReferenceScript()),
    'text/javascript; charset=utf-8',
  )
}

const nameOf = (script: ServedFile) => nameByContent('scalar.js', script)

function pageRoute(load: () => Promise<ServedFile>): Route {
  return defineRoute({
    method: 'GET',
    path: '/docs',
    zone: 'v1',
    scope: undefined,
    operationId: 'read-api-reference',
    summary: 'The API reference as a page',
    answers: { 200: { description: 'HTML', mediaType: 'text/html' } },
    refusals: [],
    hidden: true,
    async handle(c) {
      const file = nameOf(await load())
      c.header('content-type', 'text/html; charset=utf-8')
      c.header('content-security-policy', policy)
      c.header('referrer-policy', 'no-referrer')
      return c.body(pageOf(file), 200)
    },
  })
}

function pageOf(file: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Postern API</title>
<link rel="icon" href="data:,">
</head>
<body>
<script id="api-reference" type="application/json" data-configuration="${attribute(configuration)}"></script>
<script src="/docs/${file}"></script>
</body>
</html>
`
}

function attribute(value: unknown): string {
  return JSON.stringify(value).replaceAll('"', '&quot;')
}

function scriptRoute(load: () => Promise<ServedFile>): Route {
  return defineRoute({
    method: 'GET',
    path: '/docs/:file',
    zone: 'v1',
    scope: undefined,
    operationId: 'read-api-reference-script',
    summary: 'The script of the API reference',
    params: z.strictObject({ file: z.string() }),
    answers: { 200: { description: 'JavaScript', mediaType: 'text/javascript' } },
    refusals: ['route.not_found'],
    hidden: true,
    async handle(c, { params }) {
      const script = await load()
      if (params.file !== nameOf(script)) throw new PosternError('route.not_found')
      return answerFile(c, script, keptForGood)
    },
  })
}
