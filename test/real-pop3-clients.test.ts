// POP3 by mail clients that are not ours: mpop, fetchmail, mutt and getmail6, against 110 with STLS and 995.
import assert from 'node:assert/strict'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { makeClientDirectory } from '@sekimori/testing/client-directory'
import { bodyOf, composeMail } from '@sekimori/testing/mail-text'
import { runClient, runClientWell } from '@sekimori/testing/real-client'
import { startSecondProcess } from '@sekimori/testing/second-process'
import { sharedStack } from '@sekimori/testing/shared-stack'
import type { Mailbox, Stack } from '@sekimori/testing/stack'

const BODY = Buffer.from('こんにちは、世界。\r\n.dot\r\n..two dots\r\n\r\nthe end\r\n')
/** Who has nothing: getmail refuses to run as root. */
const NOBODY = 65_534

interface Fetching {
  stack: Stack
  mailbox: Mailbox
  /** The client's own directory. */
  dir: string
  /** The certificate of the authority. */
  ca: string
  write(name: string, lines: string[]): Promise<string>
}

/** Two mails wait; the client fetches both, whole, and the maildrop is empty after that. */
async function checkFetching(
  fetch: (fetching: Fetching) => Promise<Buffer[]>,
  compared: (mail: Buffer) => string = plain,
): Promise<void> {
  const stack = await sharedStack()
  const [alice, bob] = [await stack.createMailbox(), await stack.createMailbox()]
  for (const subject of ['one', 'two'])
    await stack.submit(alice, [bob.address], composeMail({ from: alice.address, to: bob.address, subject, body: BODY }))
  const expected = await stack.received(bob, 2)
  await using directory = await makeClientDirectory(stack.endpoints.caCertificate)
  const { path: dir, ca, write } = directory
  const fetched = await fetch({ stack, mailbox: bob, dir, ca, write })
  assert.deepEqual(fetched.map(compared).sort(), expected.map(compared).sort())
  assert.deepEqual(await stack.messages(bob), [])
}

/** As text with line ends as on Unix, which is how clients store mail. */
function plain(mail: Buffer): string {
  return mail.toString().replaceAll('\r\n', '\n')
}

const bodyText = (mail: Buffer): string => bodyOf(Buffer.from(plain(mail).replaceAll('\n', '\r\n'))).toString()

/** What a program that gets each mail on its standard input has written, mail by mail. */
async function piped(path: string): Promise<Buffer[]> {
  return (await readFile(path, 'utf8'))
    .split('--end of mail--\n')
    .slice(0, -1)
    .map((mail) => Buffer.from(mail))
}

const pipeTo = (path: string) => `sh -c "cat >> ${path}; echo --end of mail-- >> ${path}"`

for (const [listener, starttls] of [
  ['pop3', 'on'],
  ['pop3s', 'off'],
] as const) {
  test(`S1-01 S1-09 S2-19 mpop reads over ${listener}`, async () => {
    await checkFetching(async ({ stack, mailbox, dir, ca, write }) => {
      const rc = await write('mpoprc', [
        ...['account default', 'host 127.0.0.1', `port ${stack.endpoints[listener].port}`],
        ...[`user ${mailbox.address}`, `password ${mailbox.password}`, 'auth plain'],
        ...['tls on', `tls_starttls ${starttls}`, `tls_trust_file ${ca}`, 'received_header off'],
        ...[`uidls_file ${dir}/uidls`, 'keep off', `delivery mda ${pipeTo(`${dir}/mails`)}`],
      ])
      await runClientWell('mpop', ['--quiet', `--file=${rc}`])
      return piped(join(dir, 'mails'))
    })
  })

  test(`S1-01 S1-09 S2-19 fetchmail reads over ${listener}`, async () => {
    await checkFetching(async ({ stack, mailbox, dir, ca, write }) => {
      const rc = await write('fetchmailrc', [
        `set invisible`,
        `poll localhost protocol pop3 port ${stack.endpoints[listener].port} auth password`,
        `  user "${mailbox.address}" password "${mailbox.password}" ${listener === 'pop3s' ? 'ssl' : 'sslproto tls1.2+'}`,
        `  sslcertck sslcertfile "${ca}" fetchall no keep no rewrite mda '${pipeTo(`${dir}/mails`)}'`,
      ])
      const args = ['--fetchmailrc', rc, '--nodetach', '--nosyslog', '--silent', '--pidfile', `${dir}/pid`]
      await runClientWell('fetchmail', [...args, '--idfile', `${dir}/ids`])
      return piped(join(dir, 'mails'))
    })
  })

  test(`S1-01 S1-09 S2-19 mutt reads over ${listener}`, async () => {
    // It keeps mails in an mbox and notes there how far each was read.
    await checkFetching(async ({ stack, mailbox, dir, ca, write }) => {
      const mbox = join(dir, 'mbox')
      await writeFile(mbox, '')
      const scheme = listener === 'pop3s' ? 'pops' : 'pop'
      const rc = await write('muttrc', [
        `set pop_host="${scheme}://${encodeURIComponent(mailbox.address)}@localhost:${stack.endpoints[listener].port}/"`,
        `set pop_pass="${mailbox.password}" pop_delete=yes ssl_force_tls=yes ssl_starttls=yes`,
        `set ssl_ca_certificates_file="${ca}" certificate_file="${ca}"`,
        `set spoolfile="${mbox}" folder="${dir}" mbox_type=mbox quit=yes move=no wait_key=no`,
        'push "<fetch-mail><quit>"',
      ])
      // It wants a terminal.
      await runClientWell('script', ['--quiet', '--return', '--command', `TERM=xterm mutt -n -F ${rc}`, '/dev/null'])
      const mails = (await readFile(mbox, 'utf8')).split(/^From .*\n/m).slice(1)
      return mails.map((mail) => Buffer.from(mail.replace(/\n$/, '')))
    }, bodyText)
  })
}

for (const listener of ['pop3', 'pop3s'] as const) {
  test(`S1-01 S1-09 S2-19 getmail reads over ${listener}${listener === 'pop3' ? ' where PLAINTEXT_AUTH=allow' : ''}`, async () => {
    // It folds header fields its own way. It knows no STLS (its SimplePOP3SSLRetriever is TLS from the first octet, and
    // nothing else encrypts): on 110 it is an old client in clear text, which only PLAINTEXT_AUTH=allow lets in.
    await checkFetching(async ({ stack, mailbox, dir, ca, write }) => {
      const allowing = { PLAINTEXT_AUTH: 'allow', POP3S_PORT: '0' }
      await using plain = await startSecondProcess(stack.processes.pid('pop3-gateway'), 'POP3_PORT', allowing)
      const { port } = listener === 'pop3' ? plain.endpoint : stack.endpoints.pop3s
      const rc = await write('getmailrc', [
        ...['[retriever]', `type = SimplePOP3${listener === 'pop3s' ? 'SSL' : ''}Retriever`, 'server = localhost'],
        ...[`port = ${port}`, `username = ${mailbox.address}`, `password = ${mailbox.password}`],
        ...(listener === 'pop3s' ? [`ca_certs = ${ca}`, 'timeout = 20'] : ['timeout = 20']),
        ...['[destination]', 'type = Maildir', `path = ${dir}/mail/`],
        ...['[options]', 'delete = true', 'delivered_to = false', 'received = false'],
      ])
      await runGetmail(dir, rc)
      const names = await readdir(join(dir, 'mail', 'new'))
      const mails = await Promise.all(names.map((name) => readFile(join(dir, 'mail', 'new', name), 'latin1')))
      return [...new Set(mails)].map((mail) => Buffer.from(mail, 'latin1'))
    }, bodyText)
  })
}

/** getmail forks for each mail, and when it misses that the child has ended, leaves the mail on the server for its next run. */
const MISSED_CHILD = /waiting child pid \d+ timed out/

/** As another user where that is needed: it refuses to run as root. */
async function runGetmail(dir: string, rc: string): Promise<void> {
  await runClientWell('mkdir', ['-p', `${dir}/mail/cur`, `${dir}/mail/new`, `${dir}/mail/tmp`])
  const isRoot = process.getuid?.() === 0
  if (isRoot) await runClientWell('chown', ['-R', String(NOBODY), dir])
  const user = isRoot ? { uid: NOBODY, gid: NOBODY } : {}
  for (let runs = 0, isDone = false; !isDone; runs++) {
    const { code, transcript } = await runClient('getmail', [`--getmaildir=${dir}`, `--rcfile=${rc}`], '', user)
    isDone = !MISSED_CHILD.test(transcript)
    assert.ok(isDone ? code === 0 : runs < 5, transcript)
  }
}
