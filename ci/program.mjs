// How a step starts the programs that do its work.
import { spawn, spawnSync } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { parseArgs } from 'node:util'
import { root } from './dependencies.mjs'
import { Unjudged, WrongUse } from './report.mjs'
import { ensureTool, tools } from './tools.mjs'

/** The largest report so far has 4 MB. */
const outputBytesMax = 256 * 1024 * 1024

/** Runs to its end; never throws for an exit code, which is the program's answer. */
export function run(program, args, { cwd = root, env = process.env, input, minutesMax = 15 } = {}) {
  const child = spawn(program, args, { cwd, env, stdio: ['pipe', 'pipe', 'pipe'] })
  const timer = setTimeout(() => child.kill('SIGKILL'), minutesMax * 60_000)
  const collect = (stream) => {
    const chunks = []
    let bytes = 0
    stream.on('data', (chunk) => {
      bytes += chunk.length
      if (bytes > outputBytesMax) child.kill('SIGKILL')
      else chunks.push(chunk)
    })
    return chunks
  }
  const [out, err] = [collect(child.stdout), collect(child.stderr)]
  // A program that ends before it has read everything has its reasons.
  child.stdin.on('error', () => undefined)
  child.stdin.end(input)
  return new Promise((resolve) => {
    child.on('error', (error) => resolve({ code: 127, out: Buffer.alloc(0), err: error.message }))
    child.on('close', (code) => {
      clearTimeout(timer)
      resolve({ code: code ?? 137, out: Buffer.concat(out), err: Buffer.concat(err).toString() })
    })
  })
}

/** Of what a program complained about, the end, each line once. */
export function complaint({ code, out, err }) {
  const lines = `${out}\n${err}`.split('\n').map((line) => line.trim())
  const told = [...new Set(lines.filter((line) => line !== '' && !line.startsWith('WARNING')))]
  return `ended with ${code}:\n  ${told.slice(-8).join('\n  ')}`
}

/** Stdout of a program that has to succeed for anything to be judged. */
export async function must(program, args, options) {
  const result = await run(program, args, options)
  if (result.code !== 0) {
    const verb = args.find((word) => !word.startsWith('-'))
    throw new Unjudged(`${program.split('/').at(-1)} ${verb} ${complaint(result)}`)
  }
  return result.out
}

/** A pinned tool, or one that cannot be pinned here and is taken from PATH as it is. */
export async function findProgram(name, howTo) {
  if (Object.hasOwn(tools, name)) return await ensureTool(name)
  const found = onPath(name)
  if (found === undefined) throw new Unjudged(`${name} is not on PATH: ${howTo}`)
  return found
}

export function onPath(name) {
  return (process.env.PATH ?? '')
    .split(delimiter)
    .filter(Boolean)
    .map((folder) => join(folder, name))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK)
        return true
      } catch {
        return false
      }
    })
}

export function parseReport(tool, bytes) {
  try {
    return JSON.parse(bytes.toString())
  } catch (cause) {
    throw new Unjudged(`${tool} has written no report`, { cause })
  }
}

/** The commit of the working tree, and whether the tree is that commit. */
export function describeTree() {
  const git = (...args) => spawnSync('git', args, { cwd: root, encoding: 'utf8' })
  const commit = git('rev-parse', 'HEAD')
  if (commit.status !== 0) throw new Unjudged('this is not a git repository')
  const status = git('status', '--porcelain')
  return { commit: commit.stdout.trim(), isClean: status.status === 0 && status.stdout === '' }
}

/** The command line as `use` understands it; whatever it throws is a command line that is wrong. */
export function readArguments(options, use = ({ values }) => values, positionalsMax = 0) {
  try {
    const given = parseArgs({ options, allowPositionals: positionalsMax > 0 })
    if (given.positionals.length > positionalsMax) throw new Error('too many arguments')
    return use(given)
  } catch (cause) {
    throw new WrongUse(cause.message, { cause })
  }
}
