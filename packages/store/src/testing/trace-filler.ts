// For tests only: a message trace as a provider's looks after two months, as many rows as asked for.
import pg from 'pg'

/** Days before now over which the rows lie. */
export const DAYS = 60
const DAY_MS = 86_400_000
const DOMAINS = 200
const ACCOUNTS = 20_000

/** One recipient in fifty is this one; its domain is the one that has most mail. */
export const BUSY = 'busy@d0.test'

/**
 * Fills the table of the database at this address, day by day, oldest first, and makes its indexes afterwards, which is much
 * faster; `onDay` is told how many rows there are. The client is one of its own: each of these statements may take minutes.
 */
export async function fillTrace(url: string, rows: number, onDay: (rows: number) => void): Promise<void> {
  const client = new pg.Client(url)
  await client.connect()
  try {
    await client.query("set synchronous_commit = off; set maintenance_work_mem = '256MB'")
    const indexes = await dropIndexes(client)
    await fillDays(client, rows, onDay)
    for (const definition of indexes) await client.query(definition)
    await fillUnderWay(client, rows)
    await client.query('analyze message_trace, mail_under_way')
  } finally {
    await client.end()
  }
}

/** All but the key; resolves to the statements that make them again, for every partition. */
async function dropIndexes(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<{ indexname: string; indexdef: string }>(
    "select indexname, indexdef from pg_indexes where tablename = 'message_trace' and indexname <> 'message_trace_pkey'",
  )
  for (const { indexname } of rows) await client.query(`drop index ${indexname}`)
  return rows.map(({ indexdef }) => indexdef.replace(' ON ONLY ', ' ON '))
}

async function fillDays(client: pg.Client, rows: number, onDay: (rows: number) => void): Promise<void> {
  const perMinute = Math.max(1, Math.round(rows / DAYS / 1_440))
  const minutes = Math.min(1_440, Math.ceil(rows / DAYS))
  for (let day = DAYS; day > 0; day--) {
    const start = new Date(Date.now() - day * DAY_MS)
    await client.query('select ensure_trace_partition($1), ensure_trace_partition($2)', [
      start,
      new Date(start.getTime() + DAY_MS),
    ])
    await client.query(FILL, [start, minutes, perMinute])
    onDay((DAYS - day + 1) * minutes * perMinute)
  }
}

/** A hundredth as many in queues, as when the virus check has been away for some hours. */
async function fillUnderWay(client: pg.Client, rows: number): Promise<void> {
  await client.query(
    `insert into mail_under_way (queue_id, recipient, normal, mail_from, account, message_id, direction, history)
     select trace_bound(now() - number * interval '1 second' / 10) || substr(md5(number::text), 1, 12), address, address, 'c@elsewhere.example',
       'u' || number % ${ACCOUNTS} || '@d' || number % ${DOMAINS} || '.test', '<' || number || '@mail.example>', 'submission',
       jsonb_build_array(jsonb_build_object('stage', 'submission', 'at', extract(epoch from now()) * 1000, 'outcome', 'accepted 4096 octets'))
     from generate_series(1, $1::integer) as number,
       lateral (select case when number % 50 = 7 then '${BUSY}' else 'u' || number % ${ACCOUNTS} || '@d' || number % ${DOMAINS} || '.test' end as address) as party`,
    [Math.ceil(rows / 100)],
  )
}

/** $1 the day, $2 how many of its minutes have mails, $3 how many mails each. A fifth of them is sent from here. */
const FILL = `
  with minute as materialized (
    select at, trace_bound(at) as prefix
    from generate_series(0, $2::integer - 1) as number, lateral (select $1::timestamptz + number * interval '1 minute' as at) as time
  ), mail as (
    select at, prefix || substr(md5(at::text || number), 1, 12) as queue_id, md5(number || at::text) as chance,
      ('x' || substr(md5(number || at::text), 1, 7))::bit(28)::integer as dice
    from minute, generate_series(1, $3::integer) as number
  ), party as (
    select *, 'u' || dice % ${ACCOUNTS} || '@d' || dice % ${DOMAINS} || '.test' as account_address, dice % 5 = 0 as is_sent,
      'c' || dice % 1000003 || '@' || substr(chance, 1, 3) || '.example' as correspondent
    from mail
  )
  insert into message_trace (queue_id, recipient, stage, outcome, detail, mail_from, account, message_id, direction, history, ended_at)
  select queue_id,
    case when dice % 50 = 7 then '${BUSY}' when is_sent then correspondent else account_address end,
    case when is_sent then 'remote' else 'maildrop' end,
    case when dice / 100 % 100 < 2 then 'bounced' when dice / 100 % 100 = 2 then 'quarantined' when is_sent then 'sent' else 'delivered' end,
    case when is_sent then '250 2.0.0 Ok: queued as 4Xy' || substr(chance, 1, 8) || ' (TLSv1.3 TLS_AES_256_GCM_SHA384)' end,
    case when is_sent then account_address else correspondent end,
    case when is_sent then account_address end,
    '<' || chance || '@mail.example>',
    case when is_sent then 'outbound' else 'inbound' end,
    jsonb_build_array(
      jsonb_build_object('stage', 'mx', 'at', extract(epoch from at) * 1000, 'outcome', 'accepted 4096 octets'),
      jsonb_build_object('stage', 'scan', 'at', extract(epoch from at) * 1000 + 20, 'outcome', 'clean'),
      jsonb_build_object('stage', 'authenticate', 'at', extract(epoch from at) * 1000 + 30, 'outcome', 'spf=pass dkim=pass dmarc=pass'),
      jsonb_build_object('stage', 'maildrop', 'at', extract(epoch from at) * 1000 + 40, 'outcome', 'delivered')),
    at
  from party`
