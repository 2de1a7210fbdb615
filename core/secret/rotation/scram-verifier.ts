import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto'

/** What Postgres itself uses: for 32 random bytes any number of rounds is enough. */
const rounds = 4_096
const saltBytes = 16
const keyBytes = 32

/**
 * A password as Postgres keeps it (RFC 5802 and 7677; `SCRAM-SHA-256$…`), so that neither the
 * statement that sets it nor the server's log holds the password itself. ASCII passwords only: no
 * SASLprep is done.
 */
export function scramVerifier(password: string, salt: Uint8Array = randomBytes(saltBytes)): string {
  const salted = pbkdf2Sync(password, salt, rounds, keyBytes, 'sha256')
  const clientKey = createHmac('sha256', salted).update('Client Key').digest()
  const storedKey = createHash('sha256').update(clientKey).digest('base64')
  const serverKey = createHmac('sha256', salted).update('Server Key').digest('base64')
  const encodedSalt = Buffer.from(salt).toString('base64')
  return `SCRAM-SHA-256$${rounds}:${encodedSalt}$${storedKey}:${serverKey}`
}
