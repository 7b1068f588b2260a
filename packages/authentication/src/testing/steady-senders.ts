// Senders that write again and again: their records in a DNS server, and mail of theirs with signatures that pass.
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import type { Job } from '@sekimori/mail/job'
import type { TestDnsServer } from '@sekimori/testing/dns-server'
import { signMailWith } from './signed-mail.ts'

export interface SteadySender {
  /** A mail that nobody has seen before. */
  mail(): Job
}

/** Publishes SPF, DKIM and DMARC for so many domains, each with a mail host of its own. */
export function publishSenders(server: TestDnsServer, count: number, bodyBytes = 4_000): SteadySender[] {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const p = publicKey.export({ type: 'spki', format: 'der' }).toString('base64')
  return Array.from({ length: count }, (_, n) => {
    const domain = `s${n}.example.test`
    server.set(domain, 'TXT', ['v=spf1 include:_spf.example.test -all'])
    server.set('_spf.example.test', 'TXT', ['v=spf1 ip4:192.0.2.0/24 -all'])
    server.set(`k._domainkey.${domain}`, 'TXT', [`v=DKIM1; k=rsa; p=${p}`])
    server.set(`_dmarc.${domain}`, 'TXT', ['v=DMARC1; p=reject'])
    const fields = fieldsOf(domain)
    const tags = { a: 'rsa-sha256', d: domain, s: 'k', h: 'From:To:Subject:Date:Message-ID:MIME-Version:Content-Type' }
    return {
      mail: () => {
        const body = `${randomBytes(bodyBytes / 2)
          .toString('hex')
          .replace(/.{76}/g, '$&\r\n')}\r\n`
        return jobOf(domain, Buffer.from(signMailWith({ fields, body }, privateKey, tags)))
      },
    }
  })
}

/** What an ordinary mail has: two hops inside the sender's own house, and the fields that its client writes. */
function fieldsOf(domain: string): string[] {
  const hop = (from: string, by: string) =>
    `Received: from ${from} (${from} [198.51.100.7])\r\n\tby ${by} (Postfix) with ESMTPS id 4bXyZ1\r\n\tfor <bob@here.test>; Mon, 02 Mar 2026 10:00:00 +0000 (UTC)`
  return [
    hop(`relay.${domain}`, `mx.${domain}`),
    hop('client.invalid', `relay.${domain}`),
    `Message-ID: <1@${domain}>`,
    'Date: Mon, 02 Mar 2026 10:00:00 +0000',
    'MIME-Version: 1.0',
    'User-Agent: Mozilla Thunderbird',
    'To: Bob <bob@here.test>',
    `From: Anna <anna@${domain}>`,
    'Subject: hello',
    'Content-Type: text/plain; charset=UTF-8; format=flowed',
    'Content-Transfer-Encoding: 7bit',
  ]
}

function jobOf(domain: string, bytes: Buffer): Job {
  return {
    queueId: 'q',
    direction: 'inbound',
    acceptedAt: Date.now(),
    envelope: { mailFrom: `anna@${domain}`, recipients: [{ address: 'bob@here.test' }] },
    session: { receivedBy: 'mx', clientAddress: '192.0.2.7', ehloName: `mx.${domain}` },
    added: [],
    struck: [],
    history: [],
    content: { kind: 'inline', bytes },
  }
}
