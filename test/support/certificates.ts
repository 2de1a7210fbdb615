import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { removeAtExit, runCommand } from './server-process.ts'

export type CertificateFiles = { readonly certificateFile: string; readonly keyFile: string }

export type Certificates = {
  /** The authority that signed `good`, `wrongHost` and `expired`. */
  readonly caFile: string
  /** For localhost and 127.0.0.1. */
  readonly good: CertificateFiles
  /** Right names, signed by an authority that nobody trusts. */
  readonly foreign: CertificateFiles
  /** Right authority, for another host. */
  readonly wrongHost: CertificateFiles
  /** Right authority and names, over before it began. */
  readonly expired: CertificateFiles
}

const here = 'subjectAltName=DNS:localhost,IP:127.0.0.1'

let made: Promise<Certificates> | undefined

/** Made once per test process. */
export function certificates(): Promise<Certificates> {
  made ??= makeCertificates()
  return made
}

async function makeCertificates(): Promise<Certificates> {
  const folder = await mkdtemp(join(tmpdir(), 'postern-certificates-'))
  removeAtExit(folder)
  const ca = await authority(folder, 'ca')
  const stranger = await authority(folder, 'stranger')
  return {
    caFile: ca.certificateFile,
    good: await certificate(folder, 'good', ca, here),
    foreign: await certificate(folder, 'foreign', stranger, here),
    wrongHost: await certificate(folder, 'wrong-host', ca, 'subjectAltName=DNS:elsewhere.example'),
    expired: await certificate(folder, 'expired', ca, here, -1),
  }
}

async function authority(folder: string, name: string): Promise<CertificateFiles> {
  const files = filesOf(folder, name)
  await runCommand([
    ...['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'],
    ...['-nodes', '-days', '2', '-subj', `/CN=${name}`],
    ...['-addext', 'keyUsage=critical,keyCertSign,cRLSign'],
    ...['-keyout', files.keyFile, '-out', files.certificateFile],
  ])
  return files
}

async function certificate(
  folder: string,
  name: string,
  signer: CertificateFiles,
  names: string,
  days = 2,
): Promise<CertificateFiles> {
  const files = filesOf(folder, name)
  const request = join(folder, `${name}.csr`)
  const extensions = join(folder, `${name}.ext`)
  await writeFile(extensions, `${names}\n`)
  await runCommand([
    ...['openssl', 'req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'],
    ...['-subj', `/CN=${name}`, '-keyout', files.keyFile, '-out', request],
  ])
  await runCommand([
    ...['openssl', 'x509', '-req', '-in', request, '-CA', signer.certificateFile],
    ...['-CAkey', signer.keyFile, '-CAcreateserial', '-extfile', extensions, '-days', String(days)],
    ...['-out', files.certificateFile],
  ])
  return files
}

function filesOf(folder: string, name: string): CertificateFiles {
  return { certificateFile: join(folder, `${name}.crt`), keyFile: join(folder, `${name}.key`) }
}
