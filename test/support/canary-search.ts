/** Characters; what is shorter is found by chance. */
const formCharsMin = 12
const keyText = /^[A-Za-z0-9+/_-]{40,}={0,2}$/

/** Every way in which a value could stand in a text, by the name of the form. */
function formsOf(value: string): ReadonlyMap<string, string> {
  const bytes = Buffer.from(value)
  const forms = new Map([
    ['as it is', value],
    ['URL-encoded', encodeURIComponent(value)],
    ['URL-encoded twice', encodeURIComponent(encodeURIComponent(value))],
    ['in a URL', inUrl(value)],
    ['JSON-escaped', JSON.stringify(value).slice(1, -1)],
    ['JSON in JSON', JSON.stringify(JSON.stringify(value).slice(1, -1)).slice(1, -1)],
    ...encodings('', bytes),
    // A key's text is an encoding itself: what it stands for is looked for too.
    ...(keyText.test(value) ? encodings('key bytes, ', Buffer.from(value, 'base64')) : []),
  ])
  return new Map([...forms].filter(([, form]) => form.length >= formCharsMin))
}

/** As the URL of a server shows it, once it was parsed. */
function inUrl(password: string): string {
  const url = new URL(`redis://user:${encodeURIComponent(password)}@host`)
  return url.password
}

function encodings(of: string, bytes: Buffer): [string, string][] {
  const hex = bytes.toString('hex')
  return [
    [`${of}hex`, hex],
    [`${of}HEX`, hex.toUpperCase()],
    ...[0, 1, 2].flatMap((shift): [string, string][] => {
      const text = base64Within(bytes, shift)
      const urlText = text.replaceAll('+', '-').replaceAll('/', '_')
      return [
        [`${of}base64 at ${shift}`, text],
        [`${of}base64url at ${shift}`, urlText],
      ]
    }),
  ]
}

/** What is left the same in base64 wherever the bytes stand, `shift` bytes behind a group's start. */
function base64Within(bytes: Buffer, shift: number): string {
  const text = Buffer.concat([Buffer.alloc(shift), bytes])
    .toString('base64')
    .replaceAll('=', '')
  const isTorn = (shift + bytes.length) % 3 !== 0
  return text.slice(shift === 0 ? 0 : shift + 1, isTorn ? -1 : undefined)
}

export type CanaryHit = { readonly name: string; readonly output: string; readonly form: string }

/** Which value stands where, and in which form; the first form of each is enough. */
export function findCanaries(
  outputs: readonly (readonly [name: string, text: string])[],
  secrets: ReadonlyMap<string, string>,
): readonly CanaryHit[] {
  const needles = [...secrets].flatMap(([name, value]) =>
    [...formsOf(value)].map(([form, text]) => ({ name, form, bytes: Buffer.from(text) })),
  )
  const index = indexOf(needles)
  return outputs.flatMap(([output, text]) => {
    const found = new Map<string, CanaryHit>()
    for (const { name, form } of search(Buffer.from(text), index)) {
      if (!found.has(name)) found.set(name, { name, output, form })
    }
    return [...found.values()]
  })
}

type Needle = { readonly name: string; readonly form: string; readonly bytes: Buffer }
type Index = { readonly marks: Uint8Array; readonly byHash: ReadonlyMap<number, readonly Needle[]> }

const prefixBytes = 8
const hashBits = 20
const hashOf = (low: number, high: number) =>
  (Math.imul(low, 0x9e3779b1) ^ Math.imul(high, 0x85ebca6b)) >>> (32 - hashBits)

/** By the first bytes: thousands of forms are looked for in one pass, not in one each. */
function indexOf(needles: readonly Needle[]): Index {
  const byHash = Map.groupBy(needles, ({ bytes }) =>
    hashOf(bytes.readInt32LE(0), bytes.readInt32LE(4)),
  )
  const marks = new Uint8Array(2 ** hashBits)
  for (const hash of byHash.keys()) marks[hash] = 1
  return { marks, byHash }
}

function* search(bytes: Buffer, { marks, byHash }: Index): Generator<Needle> {
  if (bytes.length < prefixBytes) return
  let low = bytes.readInt32LE(0)
  let high = bytes.readInt32LE(4)
  for (let at = 0; ; at += 1) {
    const hash = hashOf(low, high)
    if (marks[hash] === 1) yield* matching(bytes, at, byHash.get(hash) ?? [])
    const next = bytes[at + prefixBytes]
    if (next === undefined) return
    low = (low >>> 8) | (high << 24)
    high = (high >>> 8) | (next << 24)
  }
}

function matching(bytes: Buffer, at: number, needles: readonly Needle[]): readonly Needle[] {
  return needles.filter((needle) =>
    bytes.subarray(at, at + needle.bytes.length).equals(needle.bytes),
  )
}
