// Keys and passwords of this installation: made once, kept in secrets.json for the owner's eyes only.
import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { writeFileAtomically } from './atomic-file.ts'
import { StartFailure } from './start-failure.ts'

export interface Secrets {
  adminApiKey: string
  databaseSuperuserPassword: string
  databasePassword: string
  brokerPassword: string
  brokerCookie: string
  /** 32 bytes in base64: encrypts the DKIM private keys in the database. */
  dkimMasterKey: string
  /** 32 bytes in base64: seals quarantined mail in the database. */
  quarantineMasterKey: string
  /** Signs the senders of forwarded mail. */
  srsSecret: string
  alicePassword: string
  bobPassword: string
  carolPassword: string
}

const generators: { [name in keyof Secrets]: () => string } = {
  adminApiKey: () => randomBytes(32).toString('base64url'),
  databaseSuperuserPassword: () => randomBytes(24).toString('base64url'),
  databasePassword: () => randomBytes(24).toString('base64url'),
  brokerPassword: () => randomBytes(24).toString('base64url'),
  brokerCookie: () => randomBytes(24).toString('base64url'),
  dkimMasterKey: () => randomBytes(32).toString('base64'),
  quarantineMasterKey: () => randomBytes(32).toString('base64'),
  srsSecret: () => randomBytes(32).toString('base64url'),
  alicePassword: demoPassword,
  bobPassword: demoPassword,
  carolPassword: demoPassword,
}

/**
 * Reads the secrets, makes those that are not there yet.
 * @throws StartFailure when the file can't be read, or is gone while the data that it unlocks is there.
 */
export async function loadSecrets(path: string, hasData: boolean): Promise<Secrets> {
  const kept = await readSecrets(path)
  if (kept === undefined && hasData) throw damaged(path, 'is missing, but the data that it unlocks is there')
  const names = Object.keys(generators) as (keyof Secrets)[]
  const secrets = Object.fromEntries(names.map((name) => [name, kept?.[name] ?? generators[name]()]))
  if (names.some((name) => kept?.[name] === undefined))
    await writeFileAtomically(path, `${JSON.stringify(secrets, null, 2)}\n`)
  return secrets as unknown as Secrets
}

async function readSecrets(path: string): Promise<Partial<Secrets> | undefined> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return undefined
    throw damaged(path, `can't be read (${code})`, error)
  }
  const content = parse(path, text)
  if (typeof content !== 'object' || content === null || Array.isArray(content))
    throw damaged(path, 'does not hold an object')
  const faulty = Object.entries(content).find(([, value]) => typeof value !== 'string' || value === '')
  if (faulty !== undefined) throw damaged(path, `has no usable value for ${faulty[0]}`)
  return content
}

function parse(path: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // The parser's message would quote the file.
    throw damaged(path, 'is not JSON')
  }
}

/** Easy to type: the demo accounts' passwords are shown at the terminal. */
function demoPassword(): string {
  return randomBytes(9).toString('base64url')
}

function damaged(path: string, what: string, cause?: unknown): StartFailure {
  return new StartFailure(
    `${path} ${what}. Restore it from a backup, or remove the whole state directory to start anew (all mail in it is lost).`,
    `${path} が壊れています。バックアップから戻すか、状態ディレクトリ全体を削除してください(メールは失われます)。`,
    { cause },
  )
}
