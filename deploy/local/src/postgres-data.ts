// The data directory of the private Postgres: made once, in one step, and looked at before each start.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync } from 'node:fs'
import { chown, mkdir, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Account } from './account.ts'
import { openLog, tailOf } from './log-file.ts'
import { postgresMajor } from './postgres-binaries.ts'
import { StartFailure } from './start-failure.ts'

/**
 * Where a server that runs under another account finds its data: it is started inside that directory, so that
 * the directories above it may stay closed to everybody else.
 */
export const OWN_DIRECTORY = '/proc/self/cwd'

export interface PostgresData {
  dir: string
  home: string
  password: string
  logPath: string
  account: Account | undefined
}

/**
 * Makes the data directory when there is none. What an interrupted first start left behind is made anew.
 * @throws StartFailure when the directory holds something else than this version's data.
 */
export async function preparePostgresData(data: PostgresData): Promise<void> {
  if (existsSync(data.dir)) {
    await checkOwner(data)
    return checkVersion(data.dir)
  }
  const unfinished = `${data.dir}.unfinished`
  await rm(unfinished, { recursive: true, force: true })
  await mkdir(unfinished, { recursive: true, mode: 0o700 })
  if (data.account !== undefined) await chown(unfinished, data.account.uid, data.account.gid)
  await initialise(unfinished, data)
  await rename(unfinished, data.dir)
}

async function initialise(directory: string, data: PostgresData): Promise<void> {
  const passwordPath = join(dirname(data.dir), `.postgres-password-${process.pid}`)
  await writeFile(passwordPath, `${data.password}\n`, { mode: 0o400 })
  try {
    if (data.account !== undefined) await chown(passwordPath, data.account.uid, data.account.gid)
    await using password = await open(passwordPath)
    await runInitdb(directory, data, password.fd)
  } finally {
    await rm(passwordPath, { force: true })
  }
}

async function runInitdb(directory: string, data: PostgresData, passwordFd: number): Promise<void> {
  const args = [
    ['-D', OWN_DIRECTORY, '--username=postgres', '--auth=scram-sha-256'],
    // The password comes in as an open file: the account may not be able to walk to its path.
    ['--pwfile=/proc/self/fd/0'],
    ['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'],
  ].flat()
  const log = openLog(data.logPath)
  try {
    const child = spawn(join(data.home, 'bin', 'initdb'), args, {
      cwd: directory,
      stdio: [passwordFd, log, log],
      ...data.account,
    })
    const [status] = await once(child, 'exit')
    if (status !== 0) throw new Error(`initdb: exit status ${status}\n${tailOf(data.logPath)}`)
  } catch (error) {
    throw new StartFailure(
      `Postgres's data can't be made in ${data.dir}: ${(error as Error).message}`,
      `Postgres のデータを作成できません: ${data.dir} (ログ: ${data.logPath})`,
      { cause: error },
    )
  } finally {
    closeSync(log)
  }
}

/** Postgres takes no data that belongs to another account than the one that it runs as. */
async function checkOwner(data: PostgresData): Promise<void> {
  const { uid } = await stat(data.dir)
  if (uid === (data.account?.uid ?? process.getuid?.())) return
  throw new StartFailure(
    `The database directory ${data.dir} belongs to user ${uid}: it was made by another user's npm start. Start as that user, or choose another: STATE_DIR=/path npm start`,
    `データベースのディレクトリ ${data.dir} は他のユーザー (${uid}) のものです。そのユーザーで起動するか、別の STATE_DIR を指定してください。`,
  )
}

async function checkVersion(directory: string): Promise<void> {
  const major = postgresMajor()
  let found: string
  try {
    found = (await readFile(join(directory, 'PG_VERSION'), 'utf8')).trim()
  } catch (error) {
    throw damaged(directory, `has no readable PG_VERSION (${(error as NodeJS.ErrnoException).code})`, error)
  }
  if (found !== major) throw damaged(directory, `is of Postgres ${found}, and this is Postgres ${major}`)
}

function damaged(directory: string, what: string, cause?: unknown): StartFailure {
  return new StartFailure(
    `The database directory ${directory} ${what}. Restore it from a backup, or remove the whole state directory to start anew (all mail in it is lost).`,
    `データベースのディレクトリ ${directory} が壊れています。バックアップから戻すか、状態ディレクトリ全体を削除してください(メールは失われます)。`,
    { cause },
  )
}
