// DKIM keys of the local domains (RFC 6376, RFC 8463): made here, private halves sealed, public halves as DNS records.
import { createPrivateKey, generateKeyPair, type KeyObject } from 'node:crypto'
import { promisify } from 'node:util'
import type { Database, Queryable } from './database.ts'
import { seal, unseal } from './seal.ts'
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
  state: 'active' | 'retired'
  dnsName: string
  dnsRecord: string
  createdAt: string
}

const generate = promisify(generateKeyPair)

/** Makes a pair of keys (RSA-2048 and Ed25519) for a domain, active from now on. */
export async function createDkimKeys(
  client: Queryable,
  domain: string,
  masterKey: Buffer,
  now = new Date(),
): Promise<void> {
  const label = now.toISOString().slice(0, 10).replaceAll('-', '')
  const rsa = await generate('rsa', { modulusLength: 2048 })
  const rsaPublic = rsa.publicKey.export({ type: 'spki', format: 'der' }).toString('base64')
  await insertKey(client, masterKey, {
    domain,
    selector: `rsa${label}`,
    algorithm: 'rsa-sha256',
    publicKey: rsaPublic,
    privateKey: rsa.privateKey,
  })
  const ed = await generate('ed25519')
  // RFC 8463 section 4: the record holds the bare 32 octets, not the SubjectPublicKeyInfo.
  const edPublic = ed.publicKey.export({ type: 'spki', format: 'der' }).subarray(-32).toString('base64')
  await insertKey(client, masterKey, {
    domain,
    selector: `ed${label}`,
    algorithm: 'ed25519-sha256',
    publicKey: edPublic,
    privateKey: ed.privateKey,
  })
}

interface NewKey {
  domain: string
  selector: string
  algorithm: DkimAlgorithm
  publicKey: string
  privateKey: KeyObject
}

async function insertKey(client: Queryable, masterKey: Buffer, key: NewKey): Promise<void> {
  const der = key.privateKey.export({ type: 'pkcs8', format: 'der' })
  await client.query(
    'insert into dkim_key (domain, selector, algorithm, public_key, sealed_private_key) values ($1, $2, $3, $4, $5)',
    [
      key.domain,
      key.selector,
      key.algorithm,
      key.publicKey,
      seal(masterKey, der, sealContext(key.domain, key.selector)),
    ],
  )
}

function sealContext(domain: string, selector: string): string {
  return `dkim ${selector}._domainkey.${domain}`
}

/** The keys of a domain, newest first, as DNS records to publish. */
export async function listDkimKeys(client: Queryable, domain: string): Promise<DkimKeyRecord[]> {
  const { rows } = await client.query<{
    selector: string
    algorithm: DkimAlgorithm
    public_key: string
    state: 'active' | 'retired'
    created_at: Date
  }>('select selector, algorithm, public_key, state, created_at from dkim_key where domain = $1 order by id desc', [
    domain,
  ])
  return rows.map((row) => ({
    selector: row.selector,
    algorithm: row.algorithm,
    state: row.state,
    dnsName: `${row.selector}._domainkey.${domain}`,
    dnsRecord: `v=DKIM1; k=${row.algorithm === 'rsa-sha256' ? 'rsa' : 'ed25519'}; p=${row.public_key}`,
    createdAt: row.created_at.toISOString(),
  }))
}

/** The active keys of a domain, opened once and kept until the directory changes. */
export type SigningKeys = (domain: string) => Promise<SigningKey[]>

/** Signing keys from the database, with a cache. */
export function openSigningKeys(database: Database, masterKey: Buffer): SigningKeys {
  const cache = new WatchedCache<SigningKey[]>(database, 1_000)
  return (domain) => cache.get(domain, () => loadKeys(database, masterKey, domain))
}

async function loadKeys(database: Queryable, masterKey: Buffer, domain: string): Promise<SigningKey[]> {
  const { rows } = await database.query<{ selector: string; algorithm: DkimAlgorithm; sealed_private_key: Buffer }>(
    "select selector, algorithm, sealed_private_key from dkim_key where domain = $1 and state = 'active' order by id",
    [domain],
  )
  return rows.map(({ selector, algorithm, sealed_private_key }) => {
    const der = unseal(masterKey, sealed_private_key, sealContext(domain, selector))
    return { selector, algorithm, privateKey: createPrivateKey({ key: der, type: 'pkcs8', format: 'der' }) }
  })
}
