import { z } from 'zod'
import { type ErrorCode, errorCatalog } from '#core/errors.ts'
import { jsonSchemaOf } from './json-schema.ts'
import { type NamedSchemas, namedSchemas } from './named-schemas.ts'
import { problemDocument } from './problem-document.ts'
import { type Answer, type Content, defineRoute, type Route, templateOf } from './route.ts'

type Json = Record<string, unknown>

/** What the chain in front of a handler can answer, by what is in the chain. */
const alwaysRefusals: readonly ErrorCode[] = [
  'request.malformed',
  'request.query_invalid',
  'access.address_refused',
  'audit.unavailable',
  'internal',
]
const tokenRefusals: readonly ErrorCode[] = [
  'auth.token_rejected',
  'auth.keys_unavailable',
  'access.scope_missing',
  'access.rate_limited',
]
const bodyRefusals: readonly ErrorCode[] = [
  'request.body_too_large',
  'request.media_type_unsupported',
  'request.body_invalid',
]

/** The document of all other routes and of itself; made once, when the gateway is built. */
export function openApiRoute(routes: readonly Route[]): Route {
  let text: string | undefined
  const route: Route = defineRoute({
    method: 'GET',
    path: '/openapi.json',
    zone: 'v1',
    scope: undefined,
    operationId: 'read-api-description',
    summary: 'This document',
    answers: {
      200: { description: 'OpenAPI 3.1', schema: z.looseObject({ openapi: z.string() }) },
    },
    refusals: [],
    handle(c) {
      text ??= JSON.stringify(openApiDocument([...routes, route]))
      return c.body(text, { status: 200, headers: { 'content-type': 'application/json' } })
    },
  })
  return route
}

function openApiDocument(routes: readonly Route[]): Json {
  const paths: Record<string, Json> = {}
  const named = namedSchemas()
  const problem = named.refer(jsonSchemaOf(problemDocument, 'output'))
  for (const route of routes.filter((candidate) => candidate.hidden !== true)) {
    const path = templateOf(route.path).replaceAll(/:(\w+)/g, '{$1}')
    paths[path] = {
      ...paths[path],
      [route.method.toLowerCase()]: operationOf(route, named, problem),
    }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Postern',
      version: '1',
      description:
        'Enqueue work, wait for it, watch it. Every error is an RFC 9457 problem whose `type` this server explains. The listener itself answers an oversized header block with a bare 431 and a malformed request line with a bare 400.',
    },
    paths,
    components: {
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
      schemas: named.schemas,
      headers: responseHeaders,
    },
  }
}

const textSchema = { type: 'string' }

const responseHeaders = {
  'X-Request-Id': { description: 'Names this request in logs and audit', schema: textSchema },
  RateLimit: { description: "What is left of the subject's limit", schema: textSchema },
  'RateLimit-Policy': { description: "The subject's limit", schema: textSchema },
  'Retry-After': { description: 'Seconds', schema: { type: 'integer' } },
}

function headerReferences(names: readonly (keyof typeof responseHeaders)[]): Json {
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]))
}

function operationOf(route: Route, named: NamedSchemas, problem: Json): Json {
  return {
    operationId: route.operationId,
    summary: route.summary,
    ...(route.description === undefined ? {} : { description: route.description }),
    tags: [tagOf(route)],
    security: route.scope === undefined ? [] : [{ bearer: [route.scope] }],
    parameters: [
      ...parametersOf(route.params, 'path'),
      ...parametersOf(route.query, 'query'),
      ...(route.headers ?? []).map(({ name, description, example }) => ({
        name,
        in: 'header',
        description,
        schema: textSchema,
        ...(example === undefined ? {} : { example }),
      })),
    ],
    ...(route.body === undefined
      ? {}
      : { requestBody: { required: true, content: mapContent(route.body.content, named) } }),
    responses: { ...answersOf(route, named), ...problemsOf(route, problem) },
  }
}

/** The resource: `jobs` of `/v1/jobs/:id`; documents and probes have the zone's tag `server`. */
function tagOf({ path }: Route): string {
  const [, room = '', resource = ''] = path.split('/')
  return room === 'v1' || room === 'internal' ? resource : 'server'
}

const objectSchema = z.looseObject({
  properties: z.record(z.string(), z.unknown()).default({}),
  required: z.array(z.string()).default([]),
})

function parametersOf(schema: z.ZodType | undefined, place: 'path' | 'query'): Json[] {
  if (schema === undefined) return []
  const { properties, required } = objectSchema.parse(jsonSchemaOf(schema, 'input'))
  return Object.entries(properties).map(([name, property]) => ({
    name,
    in: place,
    required: place === 'path' || required.includes(name),
    schema: property,
  }))
}

function mapContent(content: Readonly<Record<string, Content>>, named: NamedSchemas): Json {
  return Object.fromEntries(
    Object.entries(content).map(([mediaType, { schema, example }]) => [
      mediaType,
      {
        schema: schema === undefined ? textSchema : named.refer(jsonSchemaOf(schema, 'input')),
        ...(example === undefined ? {} : { example }),
      },
    ]),
  )
}

/** RFC 9110, 15.3.5 and 15.4.5. */
const bodiless: ReadonlySet<string> = new Set(['204', '304'])

function answersOf(route: Route, named: NamedSchemas): Json {
  const common =
    route.scope === undefined
      ? headerReferences(['X-Request-Id'])
      : headerReferences(['X-Request-Id', 'RateLimit', 'RateLimit-Policy'])
  return Object.fromEntries(
    Object.entries(route.answers).map(([status, answer]) => [
      status,
      {
        description: answer.description,
        headers: { ...common, ...answerHeaders(answer) },
        ...(bodiless.has(status)
          ? {}
          : {
              content: { [answer.mediaType ?? 'application/json']: answerContent(answer, named) },
            }),
      },
    ]),
  )
}

function answerHeaders({ headers = [] }: Answer): Json {
  return Object.fromEntries(
    headers.map(({ name, description }) => [name, { description, schema: textSchema }]),
  )
}

function answerContent({ schema, mediaType, example }: Answer, named: NamedSchemas): Json {
  const isText = mediaType !== undefined && mediaType !== 'application/json'
  const plain = isText ? textSchema : {}
  const form = schema === undefined ? plain : named.refer(jsonSchemaOf(schema, 'output'))
  return { schema: form, ...(example === undefined ? {} : { example }) }
}

/** One response per status; its description lists the codes that share it. */
function problemsOf(route: Route, problem: Json): Json {
  const codes = [
    ...alwaysRefusals,
    ...(route.scope === undefined ? [] : tokenRefusals),
    ...(route.body === undefined ? [] : bodyRefusals),
    ...route.refusals,
  ]
  const byStatus = Object.groupBy(new Set(codes), (code) => String(errorCatalog[code].status))
  const content = { 'application/problem+json': { schema: problem } }
  return Object.fromEntries(
    Object.entries(byStatus)
      .filter(([status]) => !Object.hasOwn(route.answers, status))
      .map(([status, some = []]) => [
        status,
        {
          description: some.map((code) => `\`${code}\`: ${errorCatalog[code].title}`).join('. '),
          headers: headerReferences(
            status === '429' || status === '503' || status === '409'
              ? ['X-Request-Id', 'Retry-After']
              : ['X-Request-Id'],
          ),
          content,
        },
      ]),
  )
}
