import { spawn } from 'node:child_process'

/** A report on a large plan is a few megabytes; a program that never stops printing is broken. */
const outputBytesMax = 512 * 1024 * 1024

/** Runs a program to its end; what it is given on stdin never touches the disk. */
export function run(program, args, { input = '', cwd } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd, stdio: 'pipe' })
    const out = []
    const err = []
    let bytes = 0
    child.stdout.on('data', (chunk) => {
      bytes += chunk.length
      if (bytes > outputBytesMax) child.kill('SIGKILL')
      else out.push(chunk)
    })
    child.stderr.on('data', (chunk) => err.push(chunk))
    // It may end before it has read everything; its exit code tells why.
    child.stdin.on('error', () => undefined)
    child.on('error', reject)
    child.on('close', (code) => {
      resolve({
        code,
        stdout: Buffer.concat(out).toString(),
        stderr: Buffer.concat(err).toString(),
      })
    })
    child.stdin.end(input)
  })
}
