import type { z } from 'zod'
import { type Config, ConfigError } from '#core/config.ts'
import type { RotationTarget } from '#core/secret/rotation/rotation-target.ts'
import type { SecretReader } from '#core/secret/secret-reader.ts'

export type TargetOpening = {
  readonly config: Config
  readonly secrets: SecretReader
  /** Closes what the target has opened. */
  readonly stack: AsyncDisposableStack
}

/** What `set-rotation` may be told of a kind, as commander names it. */
export type KindOptions = {
  readonly users?: string
  readonly userIds?: string
  readonly admin?: string
  readonly member?: string
  readonly graceSeconds?: number
  readonly hook?: string
  readonly hookToken?: string
  readonly region?: string
  readonly endpoint?: string
}

/** What goes there is worth a credential; `isSecureUrl` has judged it otherwise. */
export function refusePlainHttp({ config }: TargetOpening, url: string | undefined): void {
  if (config.POSTERN_MODE === 'development' || !url?.startsWith('http:')) return
  throw new ConfigError([`${new URL(url).host}: plain http is for development only`])
}

export type KindOption = keyof KindOptions

type Described<Settings> = {
  /** Options without which the kind is not described; no others than these and `takes` are taken. */
  readonly needs: readonly KindOption[]
  readonly takes: readonly KindOption[]
  /** No process of ours may use it: its first pointer is made when it is described. */
  readonly isUsedOutside?: boolean
  /** Of the pointer, as Postgres has them. */
  readonly schema: z.ZodType<Settings>
  /** The same from what the operator said. */
  settingsOf(options: KindOptions): unknown
  /** What happens, in words, without its period: `… take turns`. */
  saying(settings: NoInfer<Settings>): string
  open(opening: TargetOpening, settings: NoInfer<Settings>, name: string): Promise<RotationTarget>
}

/** How secrets of one kind are rotated. */
export type RotationKind = Pick<Described<never>, 'needs' | 'takes' | 'isUsedOutside'> & {
  describe(
    options: KindOptions,
  ): { readonly settings: object; readonly saying: string } | { readonly problem: string }
  /** Undefined for settings that are not of the kind. */
  open(opening: TargetOpening, settings: unknown, name: string): Promise<RotationTarget> | undefined
}

export function rotationKind<Settings extends object>(of: Described<Settings>): RotationKind {
  const { needs, takes, isUsedOutside = false, schema } = of
  return {
    ...{ needs, takes, isUsedOutside },
    describe(options) {
      const { data: settings, error } = schema.safeParse(of.settingsOf(options))
      if (settings !== undefined) return { settings, saying: of.saying(settings) }
      const [issue] = error?.issues ?? []
      return { problem: issue?.message ?? '' }
    },
    open(opening, settings, name) {
      const { data } = schema.safeParse(settings)
      return data && of.open(opening, data, name)
    },
  }
}
