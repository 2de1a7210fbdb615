import { z } from 'zod'

const attributeSchema = z.object({
  key: z.string(),
  value: z.union([
    z.object({ stringValue: z.string() }).transform((value) => value.stringValue),
    z.object({ intValue: z.coerce.number() }).transform((value) => value.intValue),
  ]),
})
const attributes = z
  .array(attributeSchema)
  .transform((some) => Object.fromEntries(some.map(({ key, value }) => [key, value])))

const spanSchema = z.object({
  traceId: z.string(),
  spanId: z.string(),
  parentSpanId: z.string().optional(),
  name: z.string(),
  kind: z.int(),
  startTimeUnixNano: z.string().transform(BigInt),
  endTimeUnixNano: z.string().transform(BigInt),
  attributes,
  events: z.tuple([]),
  status: z.object({ code: z.int() }).strict(),
})
const requestSchema = z.object({
  resourceSpans: z.array(
    z.object({
      resource: z.object({ attributes }),
      scopeSpans: z.array(z.object({ spans: z.array(spanSchema) })),
    }),
  ),
})

export type ToldSpan = z.infer<typeof spanSchema>

/** A collector of OTLP/HTTP in JSON, on loopback; what it cannot read it answers with 400. */
export function otlpCollector() {
  const spans: ToldSpan[] = []
  const headers: Headers[] = []
  const services = new Set<unknown>()
  let answers: ((request: Request) => Response | Promise<Response>)[] = []
  let waiting: { readonly count: number; readonly resolve: () => void }[] = []

  function take(text: string): void {
    for (const { resource, scopeSpans } of requestSchema.parse(JSON.parse(text)).resourceSpans) {
      services.add(resource.attributes['service.name'])
      spans.push(...scopeSpans.flatMap((scope) => scope.spans))
    }
  }

  function tell(): void {
    for (const { count, resolve } of waiting) if (headers.length >= count) resolve()
    waiting = waiting.filter(({ count }) => headers.length < count)
  }

  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    development: false,
    async fetch(request) {
      if (new URL(request.url).pathname !== '/v1/traces') return new Response('', { status: 404 })
      headers.push(request.headers)
      tell()
      const scripted = answers.shift()
      if (scripted !== undefined) return await scripted(request)
      take(await request.text())
      return Response.json({ partialSuccess: {} })
    },
    error: () => new Response('', { status: 400 }),
  })
  return {
    url: `http://127.0.0.1:${server.port}`,
    spans,
    /** Of each request. */
    headers,
    services,
    /** What the next requests are answered; their spans are not taken. */
    script(...next: typeof answers) {
      answers = [...answers, ...next]
    },
    /** Resolves when so many requests have come. */
    requests(count: number): Promise<void> {
      const { promise, resolve } = Promise.withResolvers<void>()
      waiting.push({ count, resolve })
      tell()
      return promise
    },
    stop: () => server.stop(true),
  }
}

export type OtlpCollector = ReturnType<typeof otlpCollector>
