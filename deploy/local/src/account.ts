// The account for a server that must not run as root. When the launcher isn't root, everything runs as its own user.
import { execFile } from 'node:child_process'
import { realpath, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { promisify } from 'node:util'
import { StartFailure } from './start-failure.ts'

const run = promisify(execFile)
const NAME = 'sekimori'

export interface Account {
  uid: number
  gid: number
}

/** The account to run as when the launcher is root: made once, without home, password or shell. Undefined otherwise. */
export async function unprivilegedAccount(): Promise<Account | undefined> {
  if (process.getuid?.() !== 0) return undefined
  const existing = await lookUp()
  if (existing !== undefined) return existing
  try {
    await run('useradd', [
      '--system',
      '--user-group',
      '--no-create-home',
      '--home-dir',
      '/nonexistent',
      '--shell',
      '/usr/sbin/nologin',
      NAME,
    ])
  } catch (error) {
    // Another copy may have made it at the same moment.
    const made = await lookUp()
    if (made !== undefined) return made
    throw new StartFailure(
      `Postgres can't run as root, and the system account "${NAME}" can't be made. Make it (useradd --system ${NAME}) or run npm start as an ordinary user.`,
      `Postgres は root では動かせず、アカウント "${NAME}" も作成できません。作成するか、一般ユーザーで npm start を実行してください。`,
      { cause: error },
    )
  }
  return lookUp()
}

/** Whether every directory on the way to `path` lets everybody through, so that any account can use it. */
export async function isReachableByAll(path: string): Promise<boolean> {
  for (let directory = await realpath(path); ; directory = dirname(directory)) {
    if (((await stat(directory)).mode & 0o001) === 0) return false
    if (directory === '/') return true
  }
}

async function lookUp(): Promise<Account | undefined> {
  try {
    const [uid, gid] = await Promise.all([run('id', ['-u', NAME]), run('id', ['-g', NAME])])
    return { uid: Number(uid.stdout), gid: Number(gid.stdout) }
  } catch (error) {
    // id exits with 1 when there is no such account.
    if ((error as { code?: unknown }).code === 1) return undefined
    throw error
  }
}
