import { type Config, ConfigError } from '#core/config.ts'
import type { Log } from '#core/log.ts'
import type { Metrics } from '#core/metrics.ts'
import type { DatabaseRole } from '#core/postgres/database-role.ts'
import { resolveCredential } from '#core/secret/resolve-credential.ts'
import type { SecretReader } from '#core/secret/secret-reader.ts'
import { otlpHttp } from '#core/trace/otlp-http.ts'
import { parseOtlpHeaders } from '#core/trace/otlp-settings.ts'
import { spanBuffer } from '#core/trace/span-buffer.ts'
import { openTracing, type Tracing } from '#core/trace/tracing.ts'

/** Undefined without POSTERN_OTLP_ENDPOINT: then nothing is traced, and nothing made for it. */
export async function openProcessTracing(options: {
  readonly config: Config
  readonly secrets: SecretReader | undefined
  readonly role: DatabaseRole | undefined
  readonly version: string
  readonly metrics: Metrics
  readonly log: Log
  readonly stack: AsyncDisposableStack
}): Promise<Tracing | undefined> {
  const { config, secrets, role, version, metrics, log, stack } = options
  const endpoint = config.POSTERN_OTLP_ENDPOINT
  if (endpoint === undefined) return undefined
  const credential = config.POSTERN_OTLP_HEADERS
  const headers = async () =>
    credential === undefined ? {} : headersOf(await resolveCredential(secrets, credential))
  const send = await otlpHttp({ endpoint, headers, log })
  const buffer = stack.adopt(spanBuffer({ send, metrics, log }), (open) => open.close())
  const serviceName = role === undefined ? 'postern' : role.replaceAll('_', '-')
  return openTracing({
    sample: config.POSTERN_OTLP_SAMPLE,
    resource: { 'service.name': serviceName, 'service.version': version },
    onEnd: buffer.add,
  })
}

function headersOf(text: string): Readonly<Record<string, string>> {
  const headers = parseOtlpHeaders(text)
  if (headers !== undefined) return headers
  throw new ConfigError([
    'POSTERN_OTLP_HEADERS: not up to 16 pairs name=value of headers, with commas between them',
  ])
}
