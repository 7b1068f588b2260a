// Runs test files with Node's test runner and passes the wish to stop on to it.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { StopRequest } from './stop-request.ts'

/** Each file in a process of its own, so many at a time; or all in one process, for what they share. */
export const separately = ['--test-concurrency=2']
export const together = ['--test-isolation=none']
const INTERRUPTED = 130

/** Resolves with the runner's exit status; its output goes to ours. */
export async function runTestFiles(
  files: string[],
  options: { cwd: string; mode: string[]; env: Record<string, string>; timeoutMs: number; request: StopRequest },
): Promise<number> {
  const { cwd, mode, env, timeoutMs, request } = options
  const args = ['--test', ...mode, `--test-timeout=${timeoutMs}`, ...files]
  const child = spawn(process.execPath, args, { cwd, env: { ...process.env, ...env }, stdio: 'inherit' })
  const interrupt = () => child.kill('SIGTERM')
  request.stopping.addEventListener('abort', interrupt)
  const [status] = await once(child, 'exit')
  request.stopping.removeEventListener('abort', interrupt)
  return request.stopping.aborted ? INTERRUPTED : (status ?? 1)
}
