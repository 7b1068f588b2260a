// Runs mail clients that are not ours (swaks, curl, Python's smtplib and poplib), so that the servers are not only
// tested by people who read the same standard in the same way.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { buffer } from 'node:stream/consumers'

export interface ClientRun {
  code: number | null
  stdout: Buffer
  /** Output and errors as text, for a failure's message. */
  transcript: string
}

const TIMEOUT_MS = 60_000

/** Debian's Python, for which the runner installs modules. */
export const PYTHON = '/usr/bin/python3'

/** Runs a program to its end; its exit status is for the test to judge. */
export async function runClient(
  command: string,
  args: string[],
  input: Buffer | string = '',
  user: { uid?: number; gid?: number } = {},
): Promise<ClientRun> {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'], timeout: TIMEOUT_MS, ...user })
  // A client that ends before it has read everything says why on its standard error.
  child.stdin.on('error', () => {})
  child.stdin.end(input)
  const [stdout, stderr, [code]] = await Promise.all([buffer(child.stdout), buffer(child.stderr), once(child, 'close')])
  return { code, stdout, transcript: `${command} ended with ${code}\n${stdout.toString('latin1')}\n${stderr}` }
}

/** The same for a run that must end well. @throws Error with all that the client said */
export async function runClientWell(
  command: string,
  args: string[],
  input: Buffer | string = '',
  user: { uid?: number; gid?: number } = {},
): Promise<ClientRun> {
  const run = await runClient(command, args, input, user)
  if (run.code !== 0) throw new Error(run.transcript)
  return run
}
