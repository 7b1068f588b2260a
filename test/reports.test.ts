// DMARC and TLS reports, from the mails that they are about to the mail that the other side gets.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { runStatement } from '@sekimori/testing/database-dump'
import { eventually } from '@sekimori/testing/eventually'
import { composeMail, fieldOf, fieldsOf } from '@sekimori/testing/mail-text'
import { sharedStack } from '@sekimori/testing/shared-stack'
import { DOMAIN, type Stack } from '@sekimori/testing/stack'

/** Makes what was counted about a domain today yesterday's, and lets yesterday be planned again. */
const MIDNIGHT = `with subject as (
    insert into dmarc_subject select day - 1, policy_domain, organization, policy, result_rows, left_out
    from dmarc_subject where policy_domain = $1 returning day
  ), result as (
    insert into dmarc_result select day - 1, policy_domain, digest, result, mails from dmarc_result where policy_domain = $1
  ), tls as (
    update tls_result set day = day - 1 where policy_domain = $1
  ), mails as (
    insert into outbound_count select day, 1000 from subject on conflict (day) do update set mails = 1000
  ) delete from report_day`

async function reportMail(stack: Stack, isIt: (mail: Buffer) => boolean): Promise<Buffer> {
  const found = () => stack.remote.mails.find(({ data }) => isIt(data))
  return (await eventually(async () => found(), { withinMs: 60_000, what: 'the report' })).data
}

function attachment(mail: Buffer): string {
  const found = /Content-Transfer-Encoding: base64\r\n(?:.+\r\n)*\r\n([\w+/=\r\n]+)/.exec(mail.toString('latin1'))
  return gunzipSync(Buffer.from(found![1]!, 'base64')).toString()
}

test('S2-13 a domain that asks for reports gets them by mail, signed by us, once operators turn them on', async () => {
  const stack = await sharedStack()
  await using resources = new AsyncDisposableStack()
  resources.defer(async () => {
    await stack.api('PATCH', '/v1/reporting', { dmarc: false, tls: false })
  })
  const domain = stack.createRemoteDomain()
  stack.dns.set(`_dmarc.${domain}`, 'TXT', [`v=DMARC1; p=reject; rua=mailto:dmarc@${domain}`])
  stack.dns.set(`_smtp._tls.${domain}`, 'TXT', [`v=TLSRPTv1; rua=mailto:tls@${domain}`])
  stack.dns.set(domain, 'TXT', ['v=spf1 ip4:127.0.0.1 -all'])
  const on = { dmarc: true, tls: true, senderDomain: DOMAIN }
  assert.equal((await stack.api('PATCH', '/v1/reporting', on)).status, 200)
  const mailbox = await stack.createMailbox()
  const from = `anna@${domain}`
  await stack.sendAsStranger(from, [mailbox.address], composeMail({ from, to: mailbox.address }))
  await stack.sendAsStranger('x@forger.test', [mailbox.address], composeMail({ from, to: mailbox.address }))
  await stack.received(mailbox, 2)
  await stack.submit(mailbox, [from], composeMail({ from: mailbox.address, to: from }))
  const { databaseUrl } = stack.endpoints
  const counted = `select (select coalesce(sum(mails), 0) from dmarc_result where policy_domain = $1)::integer as dmarc,
    (select coalesce(sum(sessions), 0) from tls_result where policy_domain = $1)::integer as tls`
  await eventually(
    async () => {
      const [{ dmarc, tls }] = (await runStatement<{ dmarc: number; tls: number }>(databaseUrl, counted, [domain])) as [
        { dmarc: number; tls: number },
      ]
      return dmarc === 2 && tls === 1
    },
    { withinMs: 60_000, what: 'the results to be written' },
  )
  await runStatement(databaseUrl, MIDNIGHT, [domain])
  const copied = 'delete from dmarc_subject where policy_domain = $1 and day = (select max(day) from dmarc_subject)'
  await runStatement(databaseUrl, copied, [domain])

  const subject = new RegExp(`^Report Domain: ${domain} Submitter: ${DOMAIN} Report-ID: <`)
  const isReport = (mail: Buffer) => subject.test(fieldsOf(mail, 'Subject')[0] ?? '')
  const isTls = (mail: Buffer) => fieldsOf(mail, 'TLS-Report-Domain').includes(domain)
  const aggregate = await reportMail(stack, (mail) => isReport(mail) && !isTls(mail))
  const xml = attachment(aggregate)
  assert.match(xml, new RegExp(`<policy_published>\\s*<domain>${domain}</domain>\\s*<p>reject</p>`))
  assert.equal(xml.match(/<source_ip>127\.0\.0\.1<\/source_ip>/g)?.length, 2)
  assert.match(xml, /<disposition>pass<\/disposition>\s*<dkim>fail<\/dkim>\s*<spf>pass<\/spf>/)
  assert.match(xml, /<disposition>none<\/disposition>[\s\S]*<type>local_policy<\/type>/)
  assert.match(fieldsOf(aggregate, 'DKIM-Signature').join('\n'), new RegExp(`d=${DOMAIN};`))
  const tls = await reportMail(stack, (mail) => isReport(mail) && isTls(mail))
  assert.equal(fieldOf(tls, 'TLS-Report-Submitter'), DOMAIN)
  assert.match(fieldsOf(tls, 'DKIM-Signature').join('\n'), new RegExp(`d=${DOMAIN};`))
  const { policies } = JSON.parse(attachment(tls))
  assert.deepEqual(policies[0].summary, { 'total-successful-session-count': 0, 'total-failure-session-count': 1 })
  assert.equal(policies[0]['failure-details'][0]['result-type'], 'starttls-not-supported')

  // The mail may be there before the notifier has noted that it is on its way.
  await eventually(
    async () => {
      const { body } = await stack.api('GET', `/v1/reports?domain=${domain}`)
      const sent = body.items.filter(({ state }: { state: string }) => state === 'sent')
      return sent.length === 2
    },
    { withinMs: 60_000, what: 'both reports to be noted' },
  )
  const reports = stack.remote.mails.filter(({ data }) => isReport(data))
  assert.equal(reports.length, 2, 'one each')
})
