// SPF, DKIM and DMARC by mailauth, with the records of a few domains in an object, and what strangers may do to it.
import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import type { Resolve } from '@sekimori/dns/resolver'
import type { Content, OpenContent } from '@sekimori/mail/content'
import type { Job } from '@sekimori/mail/job'
import { DependencyAway } from '@sekimori/runtime/dependency'
import { readHead } from '@sekimori/store/content'
import { dkimSign } from 'mailauth/lib/dkim/sign.js'
import { resultLines } from './findings.ts'
import { authenticationResults, safeLine } from './results.ts'
import { createVerifier as createVerifierWith } from './verify.ts'

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const published = publicKey.export({ type: 'spki', format: 'der' }).toString('base64')
const RECORDS: Record<string, string[]> = {
  'TXT sender.test': ['v=spf1 ip4:192.0.2.1 -all'],
  'TXT s1._domainkey.sender.test': [`v=DKIM1; k=rsa; p=${published}`],
  'TXT _dmarc.sender.test': ['v=DMARC1; p=reject; adkim=s; aspf=s'],
}

function resolver(lookups: string[] = []): Resolve {
  return (async (name: string, type: string) => {
    lookups.push(`${type} ${name}`)
    const found = RECORDS[`${type} ${name.toLowerCase()}`]
    if (found === undefined) throw Object.assign(new Error('ENOTFOUND'), { code: 'ENOTFOUND' })
    return found.map((record) => [record])
  }) as Resolve
}

const open: OpenContent = async function* (content) {
  if (content.kind === 'inline') yield content.bytes
}
const MAIL =
  'From: Sender <info@sender.test>\r\nTo: bob@example.test\r\nSubject: x\r\nDate: Mon, 02 Mar 2026 10:00:00 +0000\r\n\r\nbody\r\n'

async function signed(mail = MAIL): Promise<string> {
  const { signatures } = await dkimSign(Buffer.from(mail), {
    canonicalization: 'relaxed/relaxed',
    signTime: new Date(),
    signatureData: [
      { signingDomain: 'sender.test', selector: 's1', privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }) },
    ],
  } as never)
  return signatures + mail
}

function jobOf(content: Content, changes: { clientAddress?: string; ehloName?: string; mailFrom?: string } = {}): Job {
  const { clientAddress = '192.0.2.1', ehloName = 'out.sender.test', mailFrom = 'bounce@sender.test' } = changes
  return {
    queueId: 'q',
    direction: 'inbound',
    acceptedAt: 1,
    envelope: { mailFrom, recipients: [{ address: 'bob@example.test' }] },
    session: { receivedBy: 'mx', clientAddress, ehloName },
    added: ['X-Virus-Status: clean'],
    struck: [],
    history: [],
    content,
  }
}

const inline = (text: string): Content => ({ kind: 'inline', bytes: Buffer.from(text) })

function createVerifier(resolve: Resolve, hostname: string, opener: OpenContent, now?: () => number) {
  const head = (content: Content) => readHead(opener(content))
  return createVerifierWith({
    resolve,
    isDnsAway: async () => false,
    hostname,
    open: opener,
    head,
    ...(now === undefined ? {} : { now }),
  })
}

const verify = createVerifier(resolver(), 'mx.test', open)
const methodsOf = async (job: Job) => resultLines(await verify(job)).map((line) => line.split(' ')[0])

test('a genuine mail passes SPF, DKIM and DMARC', async () => {
  const findings = await verify(jobOf(inline(await signed())))
  assert.deepEqual(
    resultLines(findings).map((method) => method.split(' ')[0]),
    ['spf=pass', 'dkim=pass', 'dmarc=pass'],
  )
  assert.match(resultLines(findings)[1]!, /header\.i=@sender\.test header\.s=s1/)
  assert.match(findings.receivedSpf!, /^Received-SPF: pass /)
})

test('a forged sender, a changed body and a wrong client fail', async () => {
  assert.deepEqual(await methodsOf(jobOf(inline(MAIL), { clientAddress: '198.51.100.9' })), [
    'spf=fail',
    'dkim=none',
    'dmarc=fail',
  ])
  const changed = (await signed()).replace('body', 'other')
  assert.deepEqual(await methodsOf(jobOf(inline(changed), { clientAddress: '198.51.100.9' })), [
    'spf=fail',
    'dkim=fail',
    'dmarc=fail',
  ])
  const elsewhere = (await signed()).replace('info@sender.test', 'info@other.test')
  assert.deepEqual((await methodsOf(jobOf(inline(elsewhere)))).slice(1), ['dkim=fail', 'dmarc=none'])
})

test('mail of our own account has no SPF, and signatures among the added lines count', async () => {
  const text = await signed()
  const job = jobOf(inline(MAIL))
  job.session = { receivedBy: 'submission', account: 'info@sender.test' }
  job.added = [text.slice(0, text.indexOf('From: Sender') - 2)]
  assert.deepEqual(await methodsOf(job), ['dkim=pass', 'dmarc=pass'])
})

test('mail of our own account is no forgery while DNS does not show its key', async () => {
  const job = jobOf(inline(MAIL))
  job.session = { receivedBy: 'submission', account: 'info@sender.test' }
  const { dmarc } = await verify(job)
  assert.deepEqual([dmarc.result, dmarc.policy], ['none', 'none'])
})

test('stored content is verified like inline content', async () => {
  const text = await signed()
  const inPieces: OpenContent = async function* () {
    for (let at = 0; at < text.length; at += 11) yield Buffer.from(text.slice(at, at + 11))
  }
  const stored = jobOf({ kind: 'stored', id: 'x', sizeBytes: text.length })
  const methods = resultLines(await createVerifier(resolver(), 'mx.test', inPieces)(stored))
  assert.match(methods[1]!, /^dkim=pass/)
})

test('content that can not be read to its end is an error, neither a result nor an endless wait', async () => {
  const text = await signed()
  for (const failAt of [0, text.indexOf('body')]) {
    let opened = 0
    const broken: OpenContent = async function* () {
      // The header section is read first; what breaks is the reading of the whole mail.
      if (opened++ === 0) return yield Buffer.from(text)
      yield Buffer.from(text.slice(0, failAt))
      throw new DependencyAway('postgres')
    }
    const stored = jobOf({ kind: 'stored', id: 'x', sizeBytes: text.length })
    await assert.rejects(createVerifier(resolver(), 'mx.test', broken)(stored), DependencyAway)
  }
})

test('what a client says of itself can not become a result', async () => {
  const evil = [
    'x; dkim=pass header.d=bank.test',
    'x\r\nX-Injected: 1',
    'x (dmarc=pass)',
    '"; spf=pass smtp.helo="',
    'ü\u0085'.repeat(300),
  ]
  for (const text of evil) {
    for (const changes of [
      { ehloName: text },
      { ehloName: text, mailFrom: '' },
      { mailFrom: `${text}@sender.test` },
      { mailFrom: text },
    ]) {
      const findings = await verify(jobOf(inline(MAIL), { ...changes, clientAddress: '198.51.100.9' }))
      const { methods, receivedSpf } = { methods: resultLines(findings), receivedSpf: findings.receivedSpf }
      const results = authenticationResults('mx.test', methods)
      for (const line of [results, safeLine(receivedSpf ?? '')])
        assert.ok(!/\r(?!\n)|(?<!\r)\n|\n(?![\t ])|\u0085/.test(line), JSON.stringify(line))
      assert.ok(!/\b(dkim|spf|dmarc)=pass/.test(unquoted(results)), results)
      assert.deepEqual(
        methods.map((method) => method.split('=')[0]),
        ['spf', 'dkim', 'dmarc'],
      )
    }
  }
})

test('two From fields, or none, have no DMARC verdict', async () => {
  const twice = `From: eve@evil.test\r\n${await signed()}`
  assert.equal((await methodsOf(jobOf(inline(twice)))).at(-1), 'dmarc=none')
  assert.equal((await methodsOf(jobOf(inline('Subject: x\r\n\r\nbody')))).at(-1), 'dmarc=none')
})

test('a mail with thousands of signatures costs no more than one with twenty', async () => {
  const signature = (n: number) =>
    `DKIM-Signature: v=1; a=rsa-sha256; d=d${n}.sender.test; s=s; c=relaxed/relaxed; l=${n}; h=from; bh=eA==; b=eA==\r\n`
  const flood = Array.from({ length: 1_500 }, (_, n) => signature(n)).join('')
  const lookups: string[] = []
  const job = jobOf(inline(flood + (await signed()) + 'x'.repeat(2_000_000)))
  const before = process.cpuUsage()
  const methods = resultLines(await createVerifier(resolver(lookups), 'mx.test', open)(job))
  assert.ok(process.cpuUsage(before).user < 4_000_000)
  assert.equal(methods.filter((method) => method.startsWith('dkim=')).length, 20)
  assert.ok(lookups.length < 60, `${lookups.length} lookups`)
})

test('name servers that take their time hold a mail up for a bounded time', async () => {
  let time = 0
  const lookups: string[] = []
  const slow = ((name: string, type: string) => {
    time += 9_000
    return resolver(lookups)(name, type)
  }) as Resolve
  const genuine = await signed()
  const signature = genuine.slice(0, genuine.indexOf('From: Sender'))
  const flood = Array.from({ length: 20 }, (_, n) => signature.replace(/s=s1/, `s=other${n}`)).join('')
  const methods = resultLines(await createVerifier(slow, 'mx.test', open, () => time)(jobOf(inline(flood + MAIL))))
  assert.ok(lookups.length <= 4, `${lookups.length} lookups`)
  assert.ok(
    methods.some((method) => method.startsWith('dkim=temperror')),
    methods.join('\n'),
  )
})

/** The text outside of quoted strings and comments. */
function unquoted(line: string): string {
  return line.replace(/"(?:[^"\\]|\\.)*"/g, '').replace(/\((?:[^()\\]|\\.)*\)/g, '')
}
