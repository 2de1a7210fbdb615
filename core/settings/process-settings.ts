import { z } from 'zod'
import { credential, filePath, port, told, wholeNumber } from './setting-shapes.ts'

/** The listener's default; above 1023 because the image runs without capabilities. */
const listenPortDefault = 8080
/** Workers answer probes only, on a port of their own, so that `run` needs no second address. */
const probePortDefault = 8081
/** The sequencer's probes: a third process of `run` beside gateway and worker. */
const sequencerProbePortDefault = 8082
/** The rotator's probes: the fourth process of `run`. */
const rotatorProbePortDefault = 8083
/** A stop that takes longer than an orchestrator's usual 30 s is killed half way. */
const drainSecondsDefault = 25

const imageDigest = z.string().regex(/^sha256:[0-9a-f]{64}$/, 'a digest such as sha256:…')

export const processSettings = {
  POSTERN_MODE: z
    .enum(['production', 'development'])
    .default('production')
    .meta(told('`development` allows literal credentials and plain connections')),
  POSTERN_LOG_LEVEL: z
    .enum(['debug', 'info', 'warn', 'error', 'silent'])
    .default('info')
    .meta(told('`debug`, `info`, `warn`, `error`, `silent`')),
  POSTERN_DRAIN_SECONDS: wholeNumber(1, 600)
    .default(drainSecondsDefault)
    .meta(told('what a stop may take, in seconds')),
  POSTERN_DATA_DIRECTORY: filePath
    .default('.postern')
    .meta(told('state of `up`, the development key')),
  POSTERN_IMAGE_DIGEST: imageDigest
    .optional()
    .meta(told('`sha256:…` of the image that is deployed; each process says which it runs')),
}

export const listenerSettings = {
  POSTERN_LISTEN_ADDRESS: z
    .union([z.ipv4(), z.ipv6()])
    .default('0.0.0.0')
    .meta(told("the gateway's address")),
  POSTERN_LISTEN_PORT: port.default(listenPortDefault).meta(told("the gateway's port")),
  POSTERN_PROBE_PORT: port
    .default(probePortDefault)
    .meta(told("the workers' probes and metrics, on 127.0.0.1")),
  POSTERN_SEQUENCER_PROBE_PORT: port
    .default(sequencerProbePortDefault)
    .meta(told("the sequencer's probes and metrics, on 127.0.0.1")),
  POSTERN_ROTATOR_PROBE_PORT: port
    .default(rotatorProbePortDefault)
    .meta(told("the rotator's probes and metrics, on 127.0.0.1")),
  POSTERN_TLS_CERTIFICATE: credential.optional().meta(told('secret reference, PEM')),
  POSTERN_TLS_KEY: credential.optional().meta(told('secret reference, PEM')),
  POSTERN_TLS_CLIENT_CA: credential
    .optional()
    .meta(told('secret reference, PEM; clients must then present a certificate')),
}

export const engineSettings = {
  POSTERN_DATABASE_URL: credential
    .optional()
    .meta(
      told("`secret:<name>#<member>`; the login must be granted the process's role (SECURITY.md)"),
    ),
  POSTERN_DATABASE_CA_FILE: filePath
    .optional()
    .meta(told('PEM; TLS is verified, chain and host name', 'system roots')),
  POSTERN_QUEUE: z
    .enum(['redis', 'postgres'])
    .default('redis')
    .meta(told('`postgres`: BullMQ on the database, no Redis')),
  POSTERN_REDIS_URL: credential.optional().meta(told('`secret:<name>#<member>`')),
  POSTERN_REDIS_CA_FILE: filePath
    .optional()
    .meta(told('PEM of the authority that vouches for it', 'system roots')),
  POSTERN_REDIS_CLUSTER: z
    .stringbool()
    .default(false)
    .meta(told('`true`: the URL names one node of a cluster')),
}
