// DKIM keys of the local domains (RFC 6376, RFC 8463): those that sign, and all as operators see them.
import { createPrivateKey, type KeyObject } from 'node:crypto'
import { DependencyAway } from '@sekimori/runtime/dependency'
import type { Database, Queryable } from './database.ts'
import { sealContext } from './dkim-key-creation.ts'
import { type KeyShown, type KeyState, keysThatSign } from './dkim-key-rule.ts'
import { unsealWithAny } from './seal.ts'
import { WatchedCache } from './watched-cache.ts'

export type DkimAlgorithm = 'rsa-sha256' | 'ed25519-sha256'

export interface SigningKey {
  selector: string
  algorithm: DkimAlgorithm
  privateKey: KeyObject
}

/** A key as operators see it; `dnsName` and `dnsRecord` are what to publish as TXT. */
export interface DkimKeyRecord {
  selector: string
  algorithm: DkimAlgorithm
  state: KeyState
  stateSince: string
  dnsName: string
  dnsRecord: string
  publicKey: string
  createdAt: string
  /** What DNS showed when dkim-signer last looked, and since when. */
  shown: KeyShown
  shownSince?: string
  lookedAt?: string
}

interface KeyRow {
  selector: string
  algorithm: DkimAlgorithm
  public_key: string
  state: KeyState
  state_since: Date
  created_at: Date
  shown: KeyShown | null
  shown_since: Date | null
  looked_at: Date | null
}

/** The keys of a domain, newest first, as DNS records to publish. */
export async function listDkimKeys(client: Queryable, domain: string): Promise<DkimKeyRecord[]> {
  const { rows } = await client.query<KeyRow>(
    `select selector, algorithm, public_key, state, state_since, created_at, shown, shown_since, looked_at
     from dkim_key left join dkim_key_look on key_id = id where domain = $1 order by id desc`,
    [domain],
  )
  return rows.map((row) => ({
    selector: row.selector,
    algorithm: row.algorithm,
    state: row.state,
    stateSince: row.state_since.toISOString(),
    dnsName: `${row.selector}._domainkey.${domain}`,
    dnsRecord: `v=DKIM1; k=${keyType(row.algorithm)}; p=${row.public_key}`,
    publicKey: row.public_key,
    createdAt: row.created_at.toISOString(),
    shown: row.shown ?? 'unknown',
    ...(row.shown_since === null ? {} : { shownSince: row.shown_since.toISOString() }),
    ...(row.looked_at === null ? {} : { lookedAt: row.looked_at.toISOString() }),
  }))
}

/** The k= tag of an algorithm's keys. */
export function keyType(algorithm: DkimAlgorithm): 'rsa' | 'ed25519' {
  return algorithm === 'rsa-sha256' ? 'rsa' : 'ed25519'
}

/** The keys that sign for a domain, opened once and kept until the directory changes. */
export type SigningKeys = (domain: string) => Promise<SigningKey[]>

/** A key that signs, or may have to again, with what the last looks at DNS have shown of it. */
export interface CandidateKey {
  id: string
  selector: string
  algorithm: DkimAlgorithm
  state: KeyState
  shown: KeyShown
  looks: number
  /** `<selector>._domainkey.<domain>` */
  name: string
  keyType: 'rsa' | 'ed25519'
  publicKey: string
  /** @throws DependencyAway while no master key opens it */
  open(): SigningKey
}

export type CandidateKeys = (domain: string) => Promise<CandidateKey[]>

/** Signing keys from the database, with a cache. Any of the master keys may have sealed them. */
export function openSigningKeys(database: Database, masterKeys: Buffer | readonly Buffer[]): SigningKeys {
  const candidates = openCandidateKeys(database, masterKeys)
  return async (domain) => keysThatSign(await candidates(domain)).map((key) => key.open())
}

/** The keys among which the choice is made, with a cache. */
export function openCandidateKeys(database: Database, masterKeys: Buffer | readonly Buffer[]): CandidateKeys {
  const cache = new WatchedCache<CandidateKey[]>(database, 1_000)
  const all = [masterKeys].flat() as Buffer[]
  return (domain) => cache.get(domain, () => loadKeys(database, all, domain))
}

interface CandidateRow {
  id: string
  selector: string
  algorithm: DkimAlgorithm
  public_key: string
  state: KeyState
  shown: KeyShown
  looks: number
  sealed_private_key: Buffer
}

async function loadKeys(database: Queryable, masterKeys: Buffer[], domain: string): Promise<CandidateKey[]> {
  const { rows } = await database.query<CandidateRow>(
    `select id, selector, algorithm, public_key, state, coalesce(shown, 'unknown') as shown, coalesce(looks, 0) as looks,
       sealed_private_key
     from dkim_key left join dkim_key_look on key_id = id
     where domain = $1 and state in ('active', 'retiring') order by id`,
    [domain],
  )
  return rows.map(({ public_key, sealed_private_key, ...key }) => {
    let opened: SigningKey | undefined
    return {
      ...key,
      name: `${key.selector}._domainkey.${domain}`,
      keyType: keyType(key.algorithm),
      publicKey: public_key,
      open() {
        opened ??= openKey(masterKeys, key, sealed_private_key, domain)
        return opened
      },
    }
  })
}

function openKey(
  masterKeys: Buffer[],
  { selector, algorithm }: Pick<SigningKey, 'selector' | 'algorithm'>,
  sealed: Buffer,
  domain: string,
): SigningKey {
  const der = open(masterKeys, sealed, sealContext(domain, selector))
  return { selector, algorithm, privateKey: createPrivateKey({ key: der, type: 'pkcs8', format: 'der' }) }
}

/** Without the master key mail waits until it is set right: it must neither leave unsigned nor be given up. */
function open(masterKeys: Buffer[], sealed: Buffer, context: string): Buffer {
  try {
    return unsealWithAny(masterKeys, sealed, context)
  } catch (error) {
    throw new DependencyAway('dkim-master-key', { cause: error })
  }
}
