import type { AccessDocument } from '#core/access/access-file.ts'
import { openDenyList } from '#core/access/deny-list.ts'
import type { LocalIssuer } from '#core/access/local-issuer.ts'
import { type OpenAccessControl, openAccessControl } from '#core/access/open-access-control.ts'
import type { Foundation } from './foundation.ts'
import type { Services } from './open-services.ts'

/** Who may do what, with the deny list beside it. */
export async function openAccess(
  foundation: Foundation,
  { audit, registry }: Pick<Services, 'audit' | 'registry'>,
  source: { readonly file: string } | { readonly document: AccessDocument },
  localIssuer?: LocalIssuer,
): Promise<OpenAccessControl> {
  const { config, secrets, log, metrics, now, stack } = foundation
  const denyList = stack.adopt(
    await openDenyList({
      sql: foundation.database('deny list', 2),
      ...{ log, now },
      process: registry.id,
      onEffect: (effect) =>
        metrics.revocationSeconds.observe({ class: effect.class }, effect.seconds),
    }),
    (open) => open.close(),
  )
  const mode = config.POSTERN_MODE
  const access = stack.adopt(
    await openAccessControl({
      ...{ source, mode, secrets, localIssuer, denyList, audit, log, metrics, now },
    }),
    (open) => open.close(),
  )
  registry.tellAccess(() => access.fileVersions())
  return access
}
