/**
 * The arrays that our statements bind and read, all of one dimension. postgres.js would ask each
 * new connection for its array types, and let nobody catch it when that connection is lost at that
 * moment: the rejection would end the process.
 */
export const arrayTypes = {
  textArray: { to: 1009, from: [1009], serialize: arrayLiteral, parse: elementsOf },
  varcharArray: { to: 1015, from: [1015], serialize: arrayLiteral, parse: elementsOf },
  uuidArray: { to: 2951, from: [2951], serialize: arrayLiteral, parse: elementsOf },
}

/** Every element quoted (PostgreSQL manual, 8.15.6). */
function arrayLiteral(elements: readonly string[]): string {
  return `{${elements.map((element) => `"${element.replace(/["\\]/g, '\\$&')}"`).join(',')}}`
}

const element = /"((?:[^"\\]|\\.)*)"|([^,{}]+)/gs

function elementsOf(literal: string): (string | null)[] {
  return Array.from(literal.matchAll(element), ([, quoted, plain]) => {
    if (quoted !== undefined) return quoted.replace(/\\(.)/gs, '$1')
    return plain === undefined || plain === 'NULL' ? null : plain
  })
}
