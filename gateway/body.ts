import type { z } from 'zod'
import { PosternError } from '#core/errors.ts'
import type { GatewayContext } from './context.ts'
import { pointedErrors } from './pointed-errors.ts'
import type { BodyDeclaration, Content } from './route.ts'
import { parseStrictJson } from './strict-json.ts'

/** Bytes of a request body unless the route says otherwise. */
const bodyBytesMax = 262_144

const jsonMediaType = 'application/json'

/** A body read as a stream: `bytes` fails with 413 past the limit, however it was sent. */
export type BodyStream = {
  /** Lower case, without parameters; one of those declared. */
  readonly mediaType: string
  readonly bytes: ReadableStream<Uint8Array>
}

/** Strict JSON, checked by `schema`, at most `bytesMax` bytes. */
export function jsonBody<Body>(
  schema: z.ZodType<Body>,
  options: { readonly bytesMax?: number; readonly example?: unknown } = {},
): BodyDeclaration<Body> {
  const bytesMax = options.bytesMax ?? bodyBytesMax
  const content: Content =
    options.example === undefined ? { schema } : { schema, example: options.example }

  async function read(c: GatewayContext): Promise<Body> {
    acceptedMediaType(c, isJson)
    const bytes = await readBytes(c, bytesMax)
    await proveAgain(c)
    const parsed = schema.safeParse(parseStrictJson(bytes))
    if (parsed.success) return parsed.data
    throw new PosternError('request.body_invalid', { errors: pointedErrors(parsed.error) })
  }
  return { content: { [jsonMediaType]: content }, bytesMax, isStream: false, read }
}

/** A bounded stream of one of the media types in `content`, which only documents its form. */
export function streamBody(options: {
  readonly content: Readonly<Record<string, Content>>
  readonly bytesMax: number
}): BodyDeclaration<BodyStream> {
  const { content, bytesMax } = options
  const isDeclared = (mediaType: string) => Object.hasOwn(content, mediaType)

  function read(c: GatewayContext): BodyStream {
    const mediaType = acceptedMediaType(c, isDeclared)
    refuseDeclaredLength(c, bytesMax)
    const bytes = c.req.raw.body ?? new Blob([]).stream()
    return { mediaType, bytes: bytes.pipeThrough(limitBytes(bytesMax, () => proveAgain(c))) }
  }
  return { content, bytesMax, isStream: true, read }
}

/** All of a body, at most `bytesMax` bytes. */
async function readBytes(c: GatewayContext, bytesMax: number): Promise<Uint8Array> {
  refuseDeclaredLength(c, bytesMax)
  // With a Content-Length the listener has already held the sender to it.
  if (c.req.header('content-length') !== undefined) return await c.req.raw.bytes()
  if (c.req.raw.body === null) return new Uint8Array()
  return await Bun.readableStreamToBytes(c.req.raw.body.pipeThrough(limitBytes(bytesMax)))
}

function refuseDeclaredLength(c: GatewayContext, bytesMax: number): void {
  const declared = c.req.header('content-length')
  if (declared !== undefined && Number(declared) > bytesMax) throw tooLarge(bytesMax)
}

/** Whoever sends a body slowly may have been revoked before it is complete. */
async function proveAgain(c: GatewayContext): Promise<void> {
  await c.get('proveAgain')?.()
}

function limitBytes(
  bytesMax: number,
  flush?: () => Promise<void>,
): TransformStream<Uint8Array, Uint8Array> {
  let bytes = 0
  return new TransformStream({
    transform(chunk, controller) {
      bytes += chunk.byteLength
      if (bytes > bytesMax) throw tooLarge(bytesMax)
      controller.enqueue(chunk)
    },
    ...(flush === undefined ? {} : { flush }),
  })
}

function tooLarge(bytesMax: number): PosternError {
  return new PosternError('request.body_too_large', {
    detail: `The body may hold ${bytesMax} bytes.`,
  })
}

function isJson(mediaType: string): boolean {
  return mediaType === jsonMediaType
}

/** UTF-8 is the only charset (RFC 8259, 8.1); other parameters of a media type change nothing. */
function acceptedMediaType(c: GatewayContext, isAccepted: (mediaType: string) => boolean): string {
  refuseCoding(c)
  const header = c.req.header('content-type') ?? ''
  if (isAccepted(header)) return header
  const [type = '', ...parameters] = header.split(';')
  const mediaType = type.trim().toLowerCase()
  if (isAccepted(mediaType) && parameters.every(isHarmless)) return mediaType
  throw new PosternError('request.media_type_unsupported', {
    detail: 'Send the body as a media type of this route, in UTF-8.',
  })
}

/** Nothing here unpacks a body, so one that says it is packed is not what its type says. */
function refuseCoding(c: GatewayContext): void {
  const coding = c.req.header('content-encoding')
  if (coding === undefined || coding.toLowerCase() === 'identity') return
  throw new PosternError('request.media_type_unsupported', {
    detail: 'Send the body without a Content-Encoding.',
  })
}

function isHarmless(parameter: string): boolean {
  const [name = '', value = ''] = parameter.split('=')
  if (name.trim().toLowerCase() !== 'charset') return true
  return /^"?utf-?8"?$/i.test(value.trim())
}
