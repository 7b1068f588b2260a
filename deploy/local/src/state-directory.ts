// STATE_DIR: where local mode keeps everything, and where each thing lies in it.
import { chmod, mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { StartFailure } from './start-failure.ts'

export interface StatePaths {
  root: string
  run: string
  logs: string
  tls: string
  postgres: string
  rabbitmq: string
  clamd: string
  signatures: string
  secrets: string
  ports: string
  endpoints: string
}

export function statePaths(root: string): StatePaths {
  const at = (name: string) => join(root, name)
  return {
    root,
    run: at('run'),
    logs: at('logs'),
    tls: at('tls'),
    postgres: at('postgres'),
    rabbitmq: at('rabbitmq'),
    clamd: at('clamd'),
    signatures: at('clamav'),
    secrets: at('secrets.json'),
    ports: at('ports.json'),
    endpoints: at('endpoints.json'),
  }
}

/**
 * Makes the directory, for its owner only, and tries to write in it.
 * @throws StartFailure
 */
export async function prepareStateDirectory(paths: StatePaths): Promise<void> {
  const probe = join(paths.root, `.probe-${process.pid}`)
  try {
    await mkdir(paths.root, { recursive: true, mode: 0o700 })
    await chmod(paths.root, 0o700)
    await writeFile(probe, 'x'.repeat(4_096), { flush: true })
    await rm(probe)
    await Promise.all([paths.run, paths.logs].map((path) => mkdir(path, { recursive: true, mode: 0o700 })))
  } catch (error) {
    await rm(probe, { force: true }).catch(() => {})
    const { code } = error as NodeJS.ErrnoException
    throw new StartFailure(
      `The state directory ${paths.root} can't be used: ${reason(code)}. ${remedy(code)}`,
      `状態ディレクトリ ${paths.root} を使用できません (${code})。書き込めるディレクトリを STATE_DIR で指定してください。`,
      { cause: error },
    )
  }
}

function reason(code: string | undefined): string {
  switch (code) {
    case 'EROFS':
      return 'it is on a read-only file system (EROFS)'
    case 'EACCES':
    case 'EPERM':
      return `it may not be written by this user (${code})`
    case 'ENOSPC':
    case 'EDQUOT':
      return `the disk is full (${code})`
    case 'EEXIST':
    case 'ENOTDIR':
      return `a file is in its place (${code})`
    default:
      return `it can't be written (${code})`
  }
}

function remedy(code: string | undefined): string {
  if (code === 'ENOSPC' || code === 'EDQUOT') return 'Free some space, or choose another: STATE_DIR=/path npm start'
  return 'Choose one that you can write: STATE_DIR=/path npm start'
}
