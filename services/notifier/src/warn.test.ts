// Whom warnings go to, what they say of lists, and what becomes of the account from which the infected mail came.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseHeader } from '@sekimori/mail/header'
import type { JobHeader } from '@sekimori/mail/job'
import type { InfectedMail, WarningParty } from '@sekimori/store/warning-decision'
import { handleNotice, type Ports } from './handler.ts'
import { infected, jobOf, portsThatNote, readNotice, SUBMITTED } from './testing/notices.ts'

const ALICE = 'alice@example.test'
const BOB = 'bob@example.test'

async function noticesOf(job: JobHeader, changes: Partial<Ports> = {}, head?: string) {
  return (await handleNotice(infected(job, head), portsThatNote({}, changes).ports)).map(readNotice)
}

/** Decisions as asked for; the answer is the one given. */
function askedFor(answer: [string, 'ja' | 'en'][] = []) {
  const asked: { mail: InfectedMail; parties: WarningParty[] }[] = []
  const decide: Ports['decide'] = async (mail, parties) => {
    asked.push({ mail, parties })
    return new Map(answer)
  }
  return { asked, decide }
}

test('S1-17 S1-18 a warning has the facts, and says what to do, in either language', async () => {
  for (const [locale, words] of [
    [
      'ja',
      ['検知名: Eicar-Test', '件名: invoice', '宛先: bob@', '日時: Mon, 2 Mar', '受付番号: ', '操作は必要ありません'],
    ],
    [
      'en',
      ['Virus: Eicar-Test', 'Subject: invoice', 'To: bob@', 'Date: Mon, 2 Mar', 'Queue id: ', 'need not do anything'],
    ],
  ] as const) {
    const [warning, ...more] = await noticesOf(jobOf(), { decide: askedFor([[BOB, locale]]).decide })
    assert.deepEqual(more, [])
    for (const fact of words) assert.ok(warning!.body.includes(fact), fact)
    assert.ok(warning!.body.includes(jobOf().queueId))
  }
})

test('S1-17 the sender is told to check his device', async () => {
  const warnings = await noticesOf(jobOf(SUBMITTED))
  const bodies = new Map(warnings.map(({ job, body }) => [job.envelope.recipients[0]?.address, body]))
  assert.match(bodies.get(ALICE)!, /Your device may be infected/)
  assert.doesNotMatch(bodies.get(BOB)!, /Your device/)
})

test('S1-32 a member of a list reads its name; the decision knows that he is one', async () => {
  const { asked, decide } = askedFor([
    [BOB, 'ja'],
    ['carol@example.test', 'en'],
  ])
  const [bob, carol] = await noticesOf(jobOf({ to: ['staff@example.test', ALICE] }), { decide })
  assert.match(bob!.body, /^メーリングリスト: Staff <staff@example\.test>\r$/m)
  assert.match(carol!.body, /^Mailing list: Staff <staff@example\.test>\r$/m)
  assert.deepEqual(
    asked[0]!.parties.map(({ address, isListMember }) => [address, isListMember]),
    [
      [BOB, true],
      ['carol@example.test', true],
      [ALICE, false],
    ],
  )
})

test('a list whose name is its address is named once', async () => {
  const lookup: Ports['lookup'] = async (address) => ({ kind: 'list', address, name: address })
  const [warning] = await noticesOf(jobOf({ to: ['staff@example.test'] }), { lookup })
  assert.match(warning!.body, /^Mailing list: staff@example\.test\r$/m)
})

test('a warning names the mail that it warns of, under which it is delivered or suspended', async () => {
  const [warning] = await noticesOf(jobOf())
  assert.deepEqual(warning!.job.warning, { queueId: jobOf().queueId })
  assert.notEqual(warning!.job.queueId, jobOf().queueId)
})

test('only those are written to about whom it was decided so; addresses elsewhere are not even asked about', async () => {
  const { asked, decide } = askedFor()
  const job = jobOf({ to: [BOB, 'x@elsewhere.test', 'eve@stranger.test', 'gone@example.test'] })
  assert.deepEqual(await noticesOf(job, { decide }), [])
  assert.deepEqual(asked[0]!.parties, [{ address: BOB, isListMember: false }])
})

test('S1-26 the decision knows the signature and both senders', async () => {
  const { asked, decide } = askedFor()
  const envelope = { mailFrom: 'Eve@STRANGER.test', recipients: [] }
  await noticesOf(jobOf({ ...SUBMITTED, envelope }), { decide })
  await noticesOf(jobOf({ envelope: { mailFrom: '', recipients: [] } }), { decide })
  assert.deepEqual(
    asked.map(({ mail }) => [mail.signature, mail.senders]),
    [
      ['Eicar-Test', ['eve@stranger.test', ALICE]],
      ['Eicar-Test', []],
    ],
  )
})

test('the fields of a stranger add no line, whatever line ends they hide', async () => {
  const plain = await noticesOf(jobOf())
  for (const end of ['\r\n', '\n', '\r', '\u2028', '\u0085', '\v']) {
    const evil = `=?utf-8?B?${Buffer.from(`x${end}Bcc: y@z.test${end}${end}See http://evil.test`).toString('base64')}?=`
    const head = ['Subject', 'From', 'To', 'Date'].map((name) => `${name}: ${evil}\r\n`).join('')
    const [harmful] = await noticesOf(jobOf(), {}, `${head}\r\n`)
    const names = (text: string) => parseHeader(Buffer.from(text)).map(({ name }) => name)
    assert.deepEqual(names(harmful!.text), names(plain[0]!.text))
    const linesOf = (body: string) => body.split(/[\r\n\u2028\u0085\v]+/).length
    assert.equal(linesOf(harmful!.body), linesOf(plain[0]!.body))
    assert.doesNotMatch(harmful!.body, /:\/\/|evil\.test/)
  }
})

test('the owner of a stopped account is told, in one mail for all repetitions, which is no warning', async () => {
  for (const [locale, words] of [
    ['en', /30 mails with viruses within 10 minutes[\s\S]*Change your password[\s\S]*contact your operator/],
    ['ja', /10 分以内に 30 通のウイルスメール[\s\S]*パスワードを変更[\s\S]*運用者にご連絡/],
  ] as const) {
    const countInfected = async () => ({ account: ALICE, locale })
    const [first, ...more] = await noticesOf(jobOf(SUBMITTED), { countInfected, decide: askedFor().decide })
    assert.deepEqual(more, [])
    const [again] = await noticesOf(jobOf(SUBMITTED), { countInfected, decide: askedFor().decide })
    assert.equal(again!.job.queueId, first!.job.queueId)
    assert.equal(first!.job.warning, undefined)
    assert.deepEqual(first!.job.envelope.recipients, [{ address: ALICE }])
    assert.match(first!.body, words)
  }
})

test('a warning that was stopped itself stays a warning of the same mail when it is written once more', async () => {
  const [warning] = await noticesOf(jobOf())
  const { content: _, ...stopped } = warning!.job
  const [again] = await noticesOf(stopped, {}, 'Subject: Virus warning\r\n\r\n')
  assert.deepEqual(again!.job.warning, { queueId: jobOf().queueId })
  assert.notEqual(again!.job.queueId, stopped.queueId)
})
