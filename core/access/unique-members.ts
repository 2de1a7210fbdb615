/**
 * Whether no object in a JSON text names a member twice: of two, `JSON.parse` keeps the last and
 * other readers the first (RFC 7519, 4: a parser may refuse). The text must have been parsed by
 * `JSON.parse` before.
 */
export function hasUniqueMembers(text: string): boolean {
  const open: (Set<string> | undefined)[] = []
  // Strings whole, so that nothing inside one is taken for structure.
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"(?:\s*:)?|[{}[\]]/g)) {
    if (token === '{') open.push(new Set())
    else if (token === '[') open.push(undefined)
    else if (token === '}' || token === ']') open.pop()
    else if (token.endsWith(':') && !addMember(open.at(-1), token)) return false
  }
  return true
}

/** The name is compared unescaped: `"s\u0075b"` is `"sub"`. */
function addMember(members: Set<string> | undefined, token: string): boolean {
  const name: unknown = JSON.parse(token.slice(0, token.lastIndexOf('"') + 1))
  if (members === undefined || typeof name !== 'string' || members.has(name)) return false
  members.add(name)
  return true
}
