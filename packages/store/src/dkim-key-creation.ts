// Makes DKIM keys (RFC 6376, RFC 8463), seals their private halves, and seals them anew under a new master key.
import { generateKeyPair, type KeyObject } from 'node:crypto'
import { promisify } from 'node:util'
import type { Database, Queryable } from './database.ts'
import type { DkimAlgorithm } from './dkim-key.ts'
import { masterKeyId, seal, unsealWithAny } from './seal.ts'

export const dkimAlgorithms: DkimAlgorithm[] = ['rsa-sha256', 'ed25519-sha256']

const RSA_BITS = 2_048
const RESEALED_AT_ONCE = 50

const generate = promisify(generateKeyPair)

/** Makes a domain's first pair of keys, active from now on: every mail is signed (S2-08), also before they are published. */
export async function createDkimKeys(
  client: Queryable,
  domain: string,
  masterKey: Buffer,
  now = new Date(),
): Promise<void> {
  for (const algorithm of dkimAlgorithms) await createKey(client, masterKey, domain, algorithm, 'active', now)
}

/** Makes a key to come next. The caller holds the lock on the domain. Resolves to its selector. */
export function createPendingKey(
  client: Queryable,
  masterKey: Buffer,
  domain: string,
  algorithm: DkimAlgorithm,
  now: Date,
): Promise<string> {
  return createKey(client, masterKey, domain, algorithm, 'pending', now)
}

async function createKey(
  client: Queryable,
  masterKey: Buffer,
  domain: string,
  algorithm: DkimAlgorithm,
  state: 'active' | 'pending',
  now: Date,
): Promise<string> {
  const { publicKey, privateKey } = await makePair(algorithm)
  const selector = await freeSelector(client, domain, algorithm, now)
  const der = privateKey.export({ type: 'pkcs8', format: 'der' })
  await client.query(
    `insert into dkim_key (domain, selector, algorithm, public_key, sealed_private_key, sealed_with, state, state_since, created_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $8)`,
    [
      domain,
      selector,
      algorithm,
      publicKey,
      seal(masterKey, der, sealContext(domain, selector)),
      masterKeyId(masterKey),
      state,
      now,
    ],
  )
  return selector
}

async function makePair(algorithm: DkimAlgorithm): Promise<{ publicKey: string; privateKey: KeyObject }> {
  const spki = (key: KeyObject) => key.export({ type: 'spki', format: 'der' })
  if (algorithm === 'rsa-sha256') {
    const rsa = await generate('rsa', { modulusLength: RSA_BITS })
    return { publicKey: spki(rsa.publicKey).toString('base64'), privateKey: rsa.privateKey }
  }
  const ed = await generate('ed25519')
  // RFC 8463 section 4: the record holds the bare 32 octets, not the SubjectPublicKeyInfo.
  return { publicKey: spki(ed.publicKey).subarray(-32).toString('base64'), privateKey: ed.privateKey }
}

/** A selector that the domain never had: what caches remember of an old one must not meet a new key. */
async function freeSelector(client: Queryable, domain: string, algorithm: DkimAlgorithm, now: Date): Promise<string> {
  const label = `${algorithm === 'rsa-sha256' ? 'rsa' : 'ed'}${now.toISOString().slice(0, 10).replaceAll('-', '')}`
  const { rows } = await client.query<{ selector: string }>(
    'select selector from dkim_key where domain = $1 and starts_with(selector, $2)',
    [domain, label],
  )
  const taken = new Set(rows.map(({ selector }) => selector))
  for (let count = 1; ; count++) {
    const selector = count === 1 ? label : `${label}n${count}`
    if (!taken.has(selector)) return selector
  }
}

export function sealContext(domain: string, selector: string): string {
  return `dkim ${selector}._domainkey.${domain}`
}

/**
 * Seals every private key anew that another master key than the first one has sealed. Any number of processes may do so
 * at the same time. Resolves to how many it sealed, and the names of those that no key opens.
 */
export async function resealDkimKeys(
  database: Database,
  masterKeys: readonly [Buffer, ...Buffer[]],
): Promise<{ sealed: number; lost: string[] }> {
  const lost: string[] = []
  let sealed = 0
  for (let after = '0'; ; ) {
    const rows = await database.transaction((client) => resealSome(client, masterKeys, after, lost))
    sealed += rows.length
    const last = rows.at(-1)
    if (last === undefined) return { sealed: sealed - lost.length, lost }
    after = last.id
  }
}

interface SealedRow {
  id: string
  domain: string
  selector: string
  sealed_private_key: Buffer
}

async function resealSome(
  client: Queryable,
  masterKeys: readonly [Buffer, ...Buffer[]],
  after: string,
  lost: string[],
): Promise<SealedRow[]> {
  const { rows } = await client.query<SealedRow>(
    `select id, domain, selector, sealed_private_key from dkim_key
     where id > $1 and sealed_private_key is not null and sealed_with is distinct from $2
     order by id limit ${RESEALED_AT_ONCE} for update`,
    [after, masterKeyId(masterKeys[0])],
  )
  for (const { id, domain, selector, sealed_private_key } of rows) {
    const context = sealContext(domain, selector)
    let der: Buffer
    try {
      der = unsealWithAny(masterKeys, sealed_private_key, context)
    } catch {
      lost.push(context) // the caller tells; the row stays as it is, for when its master key comes back
      continue
    }
    await client.query('update dkim_key set sealed_private_key = $2, sealed_with = $3 where id = $1', [
      id,
      seal(masterKeys[0], der, context),
      masterKeyId(masterKeys[0]),
    ])
  }
  return rows
}
