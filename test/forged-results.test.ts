// Header fields from outside that pose as ours are removed; everybody else's are kept as they came.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { domainToASCII } from 'node:url'
import { composeMail, fieldOf, fieldsOf } from '@sekimori/testing/mail-text'
import { sharedStack } from '@sekimori/testing/shared-stack'
import { HOSTNAME } from '@sekimori/testing/stack-settings'

/** HOSTNAME with a Cyrillic "а" in it, as such and as A-labels. */
const HOMOGRAPH = HOSTNAME.replace('a', 'а')
const A_LABELS = domainToASCII(HOMOGRAPH)
const results = (id: string) => `Authentication-Results: ${id}; spf=pass smtp.mailfrom=forged.example`

const FORGED = [
  `Authentication-Results: ${HOSTNAME}; spf=pass smtp.mailfrom=forged.example; dkim=pass; dmarc=pass`,
  `AUTHENTICATION-RESULTS: ${HOSTNAME.toUpperCase()} 1;\r\n\tspf=pass smtp.mailfrom=forged.example`,
  `Authentication-Results:\r\n (a comment) ${HOSTNAME}. ; dmarc=pass header.from=forged.example`,
  `Authentication-Results: "${HOSTNAME}"; dmarc=pass header.from=forged.example`,
  `Received-SPF: pass (${HOSTNAME}: forged.example is fine) receiver=${HOSTNAME}`,
  `X-Virus-Status: clean; host=${HOSTNAME}; engine="forged.example"`,
  `authentication-results : ${HOSTNAME} ; auth=pass smtp.auth=forged.example`,
  `Authentication-Results:${HOSTNAME};dkim=pass header.d=forged.example`,
  results(`\r\n\t${HOSTNAME}`),
  results(`(one (two) \\) three)${HOSTNAME}(four)`),
  results(`"${HOSTNAME.replaceAll('.', '\\.')}"`),
  results(`${HOSTNAME}...`),
  results(`${HOSTNAME}/1`),
  results(`${HOSTNAME}:25`),
  results(HOSTNAME.replace('mail', 'mai(x)l')),
  results(HOMOGRAPH),
  results(A_LABELS),
  results(HOSTNAME.replaceAll('.', '。')),
  results(HOSTNAME.replace('mail', 'ｍａｉｌ')),
  results(HOSTNAME.replace('mail', 'ma\u200bil')),
  results(HOSTNAME.replace('mail', 'mai1')),
  results(`=?utf-8?Q?${HOSTNAME}?=`),
  results(`=?utf-8?B?${Buffer.from(HOSTNAME).toString('base64')}?=`),
  results(''),
  results('(no name'),
  `Received-SPF: pass\r\n\treceiver="${HOSTNAME.toUpperCase()}."; envelope-from=forged.example`,
  `Received-SPF: pass receiver=${HOMOGRAPH}; envelope-from=forged.example`,
  'X-VIRUS-STATUS: clean; engine="forged.example"',
  'X-DMARC-Quarantine: no; domain=forged.example',
]
const OTHERS = [
  'Authentication-Results: mx.other.example; spf=pass smtp.mailfrom=sender.example',
  'Received-SPF: pass (mx.other.example: sender.example designates 192.0.2.1) receiver=mx.other.example',
  `Authentication-Results: ${HOSTNAME}.other.example; spf=pass smtp.mailfrom=sender.example`,
  // Part of another's seal (RFC 8617): without it the chain would be broken.
  `ARC-Authentication-Results: i=1; ${HOSTNAME}; spf=pass smtp.mailfrom=sender.example`,
]

test('S2-13 forged results that bear our name are removed, those of others are kept', async () => {
  const stack = await sharedStack()
  const bob = await stack.createMailbox()
  assert.ok(FORGED.length >= 20)
  const headers = [FORGED[0]!, ...OTHERS.slice(0, 1), ...FORGED.slice(1), ...OTHERS.slice(1), 'X-Mine: kept']
  const mail = composeMail({ from: 'x@sender.example', to: bob.address, headers })
  await stack.sendAsStranger('x@sender.example', [bob.address], mail)
  const [received] = await stack.received(bob)
  assert.doesNotMatch(received!.toString('latin1'), /forged\.example/)
  const found = fieldsOf(received!, 'Authentication-Results')
  assert.equal(found.length, 3)
  assert.match(found[0]!, new RegExp(`^${HOSTNAME};`))
  assert.equal(`Authentication-Results: ${found[1]}`, OTHERS[0])
  assert.equal(`Authentication-Results: ${found[2]}`, OTHERS[2])
  assert.equal(`ARC-Authentication-Results: ${fieldOf(received!, 'ARC-Authentication-Results')}`, OTHERS[3])
  assert.ok(fieldsOf(received!, 'Received-SPF').some((value) => `Received-SPF: ${value}` === OTHERS[1]))
  assert.match(fieldOf(received!, 'X-Virus-Status'), /^clean;.*engine="ClamAV/)
  assert.equal(fieldOf(received!, 'X-Mine'), 'kept')
})

test('S2-13 an account can not forge them either', async () => {
  const stack = await sharedStack()
  const [alice, bob] = [await stack.createMailbox(), await stack.createMailbox()]
  const mail = composeMail({ from: alice.address, to: bob.address, headers: FORGED })
  await stack.submit(alice, [bob.address], mail)
  const [received] = await stack.received(bob)
  assert.doesNotMatch(received!.toString('latin1'), /forged\.example/)
  assert.equal(fieldsOf(received!, 'Authentication-Results').length, 1)
  assert.equal(fieldsOf(received!, 'X-Virus-Status').length, 1)
})

test('S2-13 a mail that begins with a folded line adds nothing to the lines that we put above it', async () => {
  const stack = await sharedStack()
  const bob = await stack.createMailbox()
  const mail = composeMail({ from: 'x@sender.example', to: bob.address, subject: 'Hello' }).toString('latin1')
  const folded = Buffer.from(`\t; spf=pass forged.example\r\n (forged.example)\r\n${mail}`, 'latin1')
  await stack.sendAsStranger('x@sender.example', [bob.address], folded)
  const [received] = await stack.received(bob)
  assert.doesNotMatch(received!.toString('latin1'), /forged\.example/)
  assert.equal(fieldOf(received!, 'Subject'), 'Hello')
})
