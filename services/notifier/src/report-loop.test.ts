// Reports on a real database: one for each domain and day whatever happens, none unasked, and no more than their share.
import assert from 'node:assert/strict'
import { after, beforeEach, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { zoneResolver } from '@sekimori/authentication/testing/zone'
import { readConfig } from '@sekimori/config/config'
import type { DmarcObservation } from '@sekimori/mail/dmarc-observation'
import type { Job } from '@sekimori/mail/job'
import type { Database } from '@sekimori/store/database'
import { addDmarcResults } from '@sekimori/store/dmarc-result'
import { addOutboundMails } from '@sekimori/store/outbound-count'
import { listReports } from '@sekimori/store/report-admin'
import { changeReporting } from '@sekimori/store/reporting'
import { addTlsResults } from '@sekimori/store/tls-result'
import { createTestDatabase, type TestDatabase } from '@sekimori/testing/test-database'
import { serviceStandIn } from '@sekimori/testing/test-service'
import { schema } from './config.ts'
import { openReportPorts } from './open-report-ports.ts'
import { type ReportPorts, sendDueReports } from './report-loop.ts'

const stack: TestDatabase = await createTestDatabase()
const { database } = stack
await database.query("insert into domain (name) values ('example.test')")
after(() => stack[Symbol.asyncDispose]())
beforeEach(async () => {
  for (const table of ['reporting', 'report_day', 'dmarc_subject', 'tls_result', 'outbound_count'])
    await database.query(`delete from ${table}`)
})

const config = readConfig(schema, {
  DATABASE_URL: stack.url,
  AMQP_URL: 'amqp://127.0.0.1',
  REPORT_SPREAD: '1ms',
  REPORT_DELAY: '1ms',
  REPORT_SHARE_PERCENT: '10',
})

interface Replica {
  ports: ReportPorts
  published: Job[]
  posted: string[]
}

/** A replica whose broker and HTTPS are lists; all DNS is in `zone`. */
function replica(pool: Database = database, zone: Parameters<typeof zoneResolver>[0] = {}): Replica {
  const [published, posted]: [Job[], string[]] = [[], []]
  const ports: ReportPorts = {
    ...openReportPorts(config, serviceStandIn(), pool, undefined as never, { resolve: zoneResolver(zone) }),
    publish: async (job) => void published.push(job),
    post: async (url) => void posted.push(url.href),
  }
  return { ports, published, posted }
}

const rows = (
  count: number,
  rua = (domain: string) => `mailto:dmarc@${domain}`,
): { item: DmarcObservation; count: number }[] =>
  Array.from({ length: count }, (_, n) => {
    const domain = `d${n}.test`
    const policy = { domain, p: 'none', sp: 'none', adkim: 'r', aspf: 'r', testing: 'n', rua: rua(domain) } as const
    const common = { disposition: 'none', dkim: 'fail', spf: 'fail', headerFrom: domain, envelopeFrom: domain } as const
    return {
      item: { policy, organization: domain, row: { sourceIp: '192.0.2.1', signatures: [], ...common } },
      count: n + 1,
    }
  })

/** What was counted today becomes yesterday's. */
async function passMidnight(): Promise<void> {
  await database.query('create temporary table moved as select * from dmarc_result')
  await database.query('delete from dmarc_result')
  for (const table of ['dmarc_subject', 'tls_result', 'outbound_count'])
    await database.query(`update ${table} set day = day - 1`)
  await database.query('insert into dmarc_result select day - 1, policy_domain, digest, result, mails from moved')
  await database.query('drop table moved')
}

async function untilDone({ ports }: Replica): Promise<void> {
  await sendDueReports(ports)
  while (await sendDueReports(ports));
}

const states = async () => {
  const { items } = await listReports(database, undefined, { limit: 200 })
  return Object.fromEntries(items.map(({ kind, domain, state }) => [`${kind} ${domain}`, state]))
}
const on = { dmarc: true, tls: true, senderDomain: 'example.test' }

test('unless an operator wants them, no reports are sent', async () => {
  await addDmarcResults(database, rows(1))
  await addOutboundMails(database, 100)
  await passMidnight()
  const one = replica()
  await untilDone(one)
  const nobody = { dmarc: true, tls: true }
  const onlyTls = { dmarc: false, tls: true, senderDomain: 'example.test' }
  for (const change of [nobody, onlyTls, { tls: false }]) {
    await changeReporting(database, change)
    await database.query('delete from report_day')
    await untilDone(one)
  }
  assert.deepEqual([one.published, await states()], [[], {}])
})

test('a report is one mail from our domain with the null reverse-path, and today is not reported yet', async () => {
  await changeReporting(database, on)
  await addOutboundMails(database, 100)
  await addDmarcResults(database, rows(1))
  const one = replica()
  await untilDone(one)
  assert.equal(one.published.length, 0)
  await passMidnight()
  await database.query('delete from report_day')
  await untilDone(one)
  assert.equal(one.published.length, 1)
  const [job] = one.published
  assert.deepEqual(
    [job!.envelope, job!.session],
    [{ mailFrom: '', recipients: [{ address: 'dmarc@d0.test' }] }, { receivedBy: 'internal' }],
  )
  const mail = job!.content.kind === 'inline' ? job!.content.bytes.toString('latin1') : ''
  const unfolded = mail.replace(/\r\n[ \t]+/g, ' ')
  assert.match(
    unfolded,
    /^Subject: Report Domain: d0\.test Submitter: example\.test Report-ID: <\S+@example\.test>\r$/m,
  )
  assert.match(unfolded, /^From: postmaster@example\.test\r$/im)
  assert.match(unfolded, /^Content-Type: application\/gzip; name="?example\.test!d0\.test!\d+!\d+\.xml\.gz"?\r$/im)
  const file = /Content-Transfer-Encoding: base64\r\n(?:.+\r\n)*\r\n([\w+/=\r\n]+)/.exec(mail)![1]!
  assert.match(gunzipSync(Buffer.from(file, 'base64')).toString(), /<domain>d0\.test<\/domain>/)
  assert.deepEqual(await states(), { 'dmarc d0.test': 'sent' })
})

test('two replicas that race send each report once', async () => {
  await changeReporting(database, on)
  await addOutboundMails(database, 10_000)
  await addDmarcResults(database, rows(60))
  await passMidnight()
  await using other = await stack.openAnother()
  const replicas = [replica(), replica(other)]
  await Promise.all(replicas.map(untilDone))
  await Promise.all(replicas.map(untilDone))
  const recipients = replicas.flatMap(({ published }) => published.map((job) => job.envelope.recipients[0]!.address))
  assert.equal(recipients.length, 60)
  assert.equal(new Set(recipients).size, 60)
  assert.deepEqual(new Set(Object.values(await states())), new Set(['sent']))
})

test('a replica that dies after the mail was published has it published again as the same mail, and counted once', async () => {
  await changeReporting(database, on)
  await addOutboundMails(database, 10)
  await addDmarcResults(database, rows(1))
  await passMidnight()
  const [dying, next] = [replica(), replica()]
  const dead = { ...dying.ports, delivered: () => new Promise<void>(() => {}) }
  void sendDueReports(dead)
  while (dying.published.length === 0) await new Promise(setImmediate)
  await untilDone(next)
  assert.equal(next.published.length, 0, 'it is leased')
  await database.query("update report set leased_until = now() - interval '1 second'")
  await untilDone(next)
  assert.deepEqual(
    [dying, next].map(({ published }) => published.map(({ queueId, messageId }) => `${queueId} ${messageId}`)),
    [
      [`${next.published[0]!.queueId} ${next.published[0]!.messageId}`],
      [`${dying.published[0]!.queueId} ${dying.published[0]!.messageId}`],
    ],
  )
  const { rows: days } = await database.query<{ used: string }>('select used from report_day where used > 0')
  assert.deepEqual(days, [{ used: '1' }])
})

test('report mails are no more than their share of what was sent, and those about most mail come first', async () => {
  await changeReporting(database, on)
  await addOutboundMails(database, 59)
  await addDmarcResults(database, rows(20))
  await passMidnight()
  const one = replica()
  await untilDone(one)
  assert.equal(one.published.length, 5)
  assert.equal(Object.values(await states()).filter((state) => state === 'capped').length, 15)
})

test('what DNS does not tell now is tried later; who takes no reports, or only smaller ones, gets none', async () => {
  await changeReporting(database, on)
  await addOutboundMails(database, 1_000)
  const wishes = [`mailto:x@elsewhere.test`, 'mailto:x@away.test', 'mailto:x@d2.test!100', '']
  await addDmarcResults(
    database,
    rows(4, (domain) => wishes[Number(domain[1])]!),
  )
  await passMidnight()
  const zone = { 'd1.test._report._dmarc.away.test': { TXT: 'SERVFAIL' as const } }
  const one = replica(database, zone)
  await untilDone(one)
  assert.deepEqual([one.published, one.posted], [[], []])
  assert.deepEqual(await states(), {
    'dmarc d0.test': 'unwanted',
    'dmarc d1.test': 'waiting',
    'dmarc d2.test': 'unwanted',
    'dmarc d3.test': 'unwanted',
  })
})

test('TLS reports go by mail and by HTTPS, and are not kept back by what is wrong with the encryption', async () => {
  await changeReporting(database, on)
  await addOutboundMails(database, 10)
  const common = {
    policyType: 'no-policy-found' as const,
    policy: '',
    host: 'mx',
    address: '192.0.2.1',
    result: 'successful',
  }
  await addTlsResults(database, [
    { item: { ...common, policyDomain: 'a.test' }, count: 3 },
    { item: { ...common, policyDomain: 'b.test' }, count: 3 },
  ])
  await passMidnight()
  const zone = { '_smtp._tls.a.test': { TXT: ['v=TLSRPTv1; rua=mailto:tls@a.test,https://r.test/tls'] } }
  const one = replica(database, zone)
  await untilDone(one)
  assert.deepEqual(await states(), { 'tls a.test': 'sent', 'tls b.test': 'unwanted' })
  assert.deepEqual(one.posted, ['https://r.test/tls'])
  const [job] = one.published
  const mail = job!.content.kind === 'inline' ? job!.content.bytes.toString('latin1').replace(/\r\n[ \t]+/g, ' ') : ''
  assert.match(mail, /^Content-Type: multipart\/report; report-type=tlsrpt;/im)
  assert.match(mail, /^TLS-Required: No\r$/im)
  assert.match(mail, /^TLS-Report-Domain: a\.test\r$/im)
  assert.match(mail, /^TLS-Report-Submitter: example\.test\r$/im)
  assert.match(mail, /^Content-Type: application\/tlsrpt\+gzip; name="?example\.test!a\.test!\d+!\d+\.json\.gz"?\r$/im)
})
