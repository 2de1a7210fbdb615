import { inspect } from 'node:util'
import type { SecretMembers } from './secret-store.ts'

/** Members that show themselves to nobody who prints, encodes or inspects what holds them. */
export class SecretValue {
  readonly #members: SecretMembers
  readonly #label: string

  constructor(members: SecretMembers, { name, version }: { name: string; version: string }) {
    this.#members = members
    this.#label = `[secret ${name}@${version}]`
  }

  /** Own members only: `constructor` is no secret. */
  member(name: string): string | undefined {
    return Object.hasOwn(this.#members, name) ? this.#members[name] : undefined
  }

  toString(): string {
    return this.#label
  }

  toJSON(): string {
    return this.#label
  }

  [inspect.custom](): string {
    return this.#label
  }
}
