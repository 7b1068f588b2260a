// Tokens of the settings API, for domains or for an account. Only their digests are kept: 256 bits of chance need no more.
import { createHash, randomBytes } from 'node:crypto'
import type { Database, Queryable } from './database.ts'
import { cutPage, type Page, type PageRequest } from './page.ts'

export interface ApiToken {
  id: string
  name: string
  /** The account that it is for; without one it is for the domains. */
  account?: string
  domains: string[]
  createdAt: string
  expiresAt?: string
}

export interface TokenWish {
  name: string
  /** Normalised, as the domains. */
  account: string | undefined
  domains: string[]
  lifeSeconds: number | undefined
}

/** Makes a token; undefined when its account or one of its domains is not here. */
export async function createToken(
  database: Database,
  { name, account, domains, lifeSeconds }: TokenWish,
): Promise<(ApiToken & { token: string }) | undefined> {
  const id = `key-${randomBytes(8).toString('hex')}`
  const token = `skt_${randomBytes(32).toString('base64url')}`
  const names = [...new Set(domains)]
  return database.transaction(async (client) => {
    const { rows } = await client.query<{ id: string }>('select id from account where address = $1', [account ?? ''])
    if (account !== undefined && rows[0] === undefined) return undefined
    const here = await client.query('select from domain where name = any($1::text[]) for key share', [names])
    if (here.rowCount !== names.length) return undefined
    await client.query(
      `insert into api_token (id, digest, name, account_id, expires_at)
       values ($1, $2, $3, $4, now() + $5 * interval '1 second')`,
      [id, digest(token), name, rows[0]?.id ?? null, lifeSeconds ?? null],
    )
    await client.query('insert into api_token_domain (token_id, domain) select $1, unnest($2::text[])', [id, names])
    const made = await client.query<TokenRow>(`${SELECT} where api_token.id = $1`, [id])
    return { ...toToken(made.rows[0]!), token }
  })
}

/** The token, if it is one that is good now. */
export async function findToken(database: Queryable, token: string): Promise<ApiToken | undefined> {
  if (!token.startsWith('skt_')) return undefined
  const { rows } = await database.query<TokenRow>({
    name: 'find_token',
    text: `${SELECT} where digest = $1 and (expires_at is null or expires_at > now())`,
    values: [digest(token)],
  })
  return rows[0] && toToken(rows[0])
}

/** The tokens by id, expired ones too; a page's key is the id. */
export async function listTokens(database: Queryable, { after, limit }: PageRequest): Promise<Page<ApiToken>> {
  const { rows } = await database.query<TokenRow>(
    `${SELECT} where $1::text is null or api_token.id > $1 order by api_token.id limit $2`,
    [after?.[0] ?? null, limit + 1],
  )
  return cutPage(rows, limit, (row) => [row.id], toToken)
}

/** Ends a token at once; false when there is none. */
export async function revokeToken(database: Queryable, id: string): Promise<boolean> {
  const { rowCount } = await database.query('delete from api_token where id = $1', [id])
  return rowCount === 1
}

const SELECT = `select api_token.id, api_token.name, account.address as account, api_token.created_at, expires_at,
    array(select domain from api_token_domain where token_id = api_token.id order by domain) as domains
  from api_token left join account on account.id = account_id`

interface TokenRow {
  id: string
  name: string
  account: string | null
  domains: string[]
  created_at: Date
  expires_at: Date | null
}

function toToken({ id, name, account, domains, created_at, expires_at }: TokenRow): ApiToken {
  return {
    id,
    name,
    ...(account === null ? {} : { account }),
    domains,
    createdAt: created_at.toISOString(),
    ...(expires_at === null ? {} : { expiresAt: expires_at.toISOString() }),
  }
}

function digest(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}
