import type { Config } from '#core/config.ts'
import { bind } from './bind.ts'
import { type Check, type Finding, ok } from './doctor-check.ts'
import { askAlive, reachable } from './healthcheck.ts'
import { isSequenced } from './open-audit.ts'

type PortSetting = Extract<keyof Config, `POSTERN_${string}_PORT`>

type Place = {
  readonly setting: PortSetting
  readonly address: string
  readonly scheme: 'http' | 'https'
}

/** Whether each listener of `run` can open its port, or has it. */
export function portChecks(config: Config): readonly Check[] {
  return placesOf(config).map((place) => ({
    name: place.setting,
    run: () => checkPort(place, config[place.setting]),
  }))
}

function placesOf(config: Config): readonly Place[] {
  const probe = { address: '127.0.0.1', scheme: 'http' } as const
  const isTls = config.POSTERN_TLS_CERTIFICATE !== undefined
  const address = config.POSTERN_LISTEN_ADDRESS
  return [
    { setting: 'POSTERN_LISTEN_PORT', address, scheme: isTls ? 'https' : 'http' },
    { ...probe, setting: 'POSTERN_PROBE_PORT' },
    ...(isSequenced(config)
      ? [{ ...probe, setting: 'POSTERN_SEQUENCER_PROBE_PORT' } as const]
      : []),
    ...(config.POSTERN_SECRET_STORE === undefined
      ? []
      : [{ ...probe, setting: 'POSTERN_ROTATOR_PROBE_PORT' } as const]),
  ]
}

/** Throws `ConfigError` with what to do about it. */
async function checkPort({ setting, address, scheme }: Place, port: number): Promise<Finding> {
  const { state } = await askAlive({ scheme, host: reachable(address), port })
  if (state === 'alive') return ok(`${address}:${port}, where a Postern answers`)
  const listener = bind(setting, { address, port }, () =>
    Bun.listen({ hostname: address, port, socket: { data: () => undefined } }),
  )
  listener.stop(true)
  return ok(`${address}:${port} is free`)
}
