// Mail between us and the servers that most of the others run: Postfix, Exim and OpenSMTPD from Debian, in both directions.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventually } from '@sekimori/testing/eventually'
import { bodyOf, composeMail, fieldOf, fieldsOf } from '@sekimori/testing/mail-text'
import { peerNames, startPeer } from '@sekimori/testing/peer-servers'
import { sharedStack } from '@sekimori/testing/shared-stack'
import { dialSmtp } from '@sekimori/testing/smtp-dialer'

const BODY = Buffer.from(`.\r\n..\r\n.dots\r\n日本語の本文、8ビットのまま\r\n${'x'.repeat(900)}\r\n\r\nend\r\n`)

for (const name of peerNames) {
  test(`mail to ${name} and from it arrives octet by octet, and whom it refuses comes back`, async () => {
    const stack = await sharedStack()
    const alice = await stack.createMailbox({ locale: 'en' })
    const dave = await stack.createMailbox()
    const { mx, submission: port587, smtps: port465 } = stack.endpoints
    await using peer = await startPeer(name, stack.remote.port, {
      mx,
      submission: { ...port587, login: alice },
      smtps: { ...port465, login: dave },
    })
    const { domain, endpoint } = peer
    stack.dns.set(domain, 'MX', [{ exchange: `mx.${domain}`, priority: 10 }])
    stack.dns.set(`mx.${domain}`, 'A', [endpoint.host])
    const recipients = [`one@${domain}`, `refused@${domain}`, `two@${domain}`]

    await using submission = await stack.dialSmtps(alice)
    const mail = composeMail({ from: alice.address, to: recipients.join(', '), body: BODY })
    const envelope = { mailFrom: alice.address, recipients, parameters: 'BODY=8BITMIME' }
    const { queueId } = await submission.send(envelope, mail)
    const ends = await stack.ended(queueId!, 3)
    assert.deepEqual(ends.map(({ outcome }) => outcome).sort(), ['bounced', 'sent', 'sent'])
    const kept = await eventually(() => peer.mails().length > 0 && peer.mails())
    for (const one of kept) {
      assert.deepEqual(bodyOf(one), BODY)
      assert.equal(fieldsOf(one, 'DKIM-Signature').length, 2)
    }
    const [dsn] = await stack.received(alice, 1)
    assert.match(bodyOf(dsn!).toString('latin1'), new RegExp(`^Final-Recipient: rfc822; refused@${domain}\r$`, 'm'))

    const bob = await stack.createMailbox()
    await using outside = await dialSmtp(endpoint)
    await outside.say('EHLO client.test', 250)
    const inbound = composeMail({ from: `one@${domain}`, to: bob.address, subject: name, body: BODY })
    await outside.send({ mailFrom: `one@${domain}`, recipients: [bob.address], parameters: 'BODY=8BITMIME' }, inbound)
    const [received] = await stack.received(bob, 1)
    assert.deepEqual(bodyOf(received!), BODY)
    assert.equal(fieldOf(received!, 'Return-Path'), `<one@${domain}>`)
    assert.match(fieldsOf(received!, 'Received')[0]!, /with ESMTPS .*TLSv1\.3/s)

    // Through submission: the peer logs in as alice by 587 and as dave by 465, so that the mail is theirs and signed.
    for (const account of [alice, dave]) {
      const carol = await stack.createMailbox()
      const own = composeMail({ from: account.address, to: carol.address, subject: name, body: BODY })
      await outside.send({ mailFrom: account.address, recipients: [carol.address], parameters: 'BODY=8BITMIME' }, own)
      const [submitted] = await stack.received(carol, 1)
      assert.deepEqual(bodyOf(submitted!), BODY)
      assert.equal(fieldsOf(submitted!, 'DKIM-Signature').length, 2)
      assert.match(
        fieldOf(submitted!, 'Authentication-Results'),
        new RegExp(`\\bauth=pass smtp\\.auth=${account.address}`),
      )
    }
  })
}
