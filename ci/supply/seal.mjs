// A plan holds passwords in clear: between two jobs it travels sealed (AES-256-GCM, a key of 32 bytes
// in POSTERN_PLAN_KEY as base64).
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { Unjudged } from '../report.mjs'

const [nonceBytes, tagBytes] = [12, 16]

function readKey(env) {
  const key = Buffer.from(env.POSTERN_PLAN_KEY ?? '', 'base64')
  if (key.length !== 32) throw new Unjudged('POSTERN_PLAN_KEY is no base64 of 32 bytes')
  return key
}

export function seal(plain, env = process.env) {
  const nonce = randomBytes(nonceBytes)
  const cipher = createCipheriv('aes-256-gcm', readKey(env), nonce)
  const sealed = Buffer.concat([cipher.update(plain), cipher.final()])
  return Buffer.concat([nonce, cipher.getAuthTag(), sealed])
}

export function unseal(sealed, env = process.env) {
  const key = readKey(env)
  const nonce = sealed.subarray(0, nonceBytes)
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes })
  try {
    decipher.setAuthTag(sealed.subarray(nonceBytes, nonceBytes + tagBytes))
    const body = sealed.subarray(nonceBytes + tagBytes)
    return Buffer.concat([decipher.update(body), decipher.final()])
  } catch (cause) {
    throw new Unjudged('the sealed plan was changed, or sealed with another key', { cause })
  }
}
