import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { z } from 'zod'
import { PosternError } from '#core/errors.ts'
import type { GatewayContext } from '../context.ts'
import { readReferenceScript } from '../reference-script.ts'
import { defineRoute, type Route } from '../route.ts'

type Script = {
  /** Holds the hash of the content, so that it may be kept for ever. */
  readonly file: string
  readonly plain: Uint8Array<ArrayBuffer>
  readonly packed: Uint8Array<ArrayBuffer>
}

/** A year, the most that RFC 9111's caches are asked to keep anything. */
const immutable = 'public, max-age=31536000, immutable'

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
  let loading: Promise<Script> | undefined
  const load = () => {
    loading ??= loadScript()
    return loading
  }
  return [pageRoute(load), scriptRoute(load)]
}

async function loadScript(): Promise<Script> {
  const plain = new TextEncoder().encode(prologue + (await readReferenceScript()))
  const hash = new Bun.CryptoHasher('sha256').update(plain).digest('hex')
  const packed = Uint8Array.from(await promisify(gzip)(plain, { level: 9 }))
  return { file: `scalar-${hash.slice(0, 16)}.js`, plain, packed }
}

function pageRoute(load: () => Promise<Script>): Route {
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
      const { file } = await load()
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

function scriptRoute(load: () => Promise<Script>): Route {
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
      const { file, plain, packed } = await load()
      if (params.file !== file) throw new PosternError('route.not_found')
      c.header('content-type', 'text/javascript; charset=utf-8')
      c.header('cache-control', immutable)
      c.header('vary', 'accept-encoding')
      if (!takesGzip(c)) return c.body(plain, 200)
      c.header('content-encoding', 'gzip')
      return c.body(packed, 200)
    },
  })
}

function takesGzip(c: GatewayContext): boolean {
  const codings = (c.req.header('accept-encoding') ?? '').toLowerCase().split(',')
  return codings.some((coding) => /^\s*gzip\s*(;\s*q=(?!0(\.0*)?\s*$)|$)/.test(coding))
}
