// The operator asks what is wrong with what a domain publishes, and is told in words.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { sharedStack } from '@sekimori/testing/shared-stack'

interface Item {
  purpose: string
  result: string
  notes: { ja: string; en: string }[]
}

test('S2-02 a new domain is told what to publish, and is right once that is in DNS', async () => {
  const stack = await sharedStack()
  const domain = `c-${randomUUID().slice(0, 13)}.test`
  await stack.api('POST', '/v1/domains', { name: domain })
  const check = async () => {
    const { status, body } = await stack.api('GET', `/v1/domains/${domain}/dns-check`)
    assert.equal(status, 200)
    return body as { isRight: boolean; items: Item[] }
  }
  const before = await check()
  assert.equal(before.isRight, false)
  for (const purpose of ['mx', 'spf', 'dkim', 'dmarc']) {
    const item = before.items.find((one) => one.purpose === purpose)!
    assert.equal(item.result, 'missing', purpose)
    assert.match(item.notes[0]!.ja, /ありません|ないため/)
    assert.match(item.notes[0]!.en, /no |Without/)
  }
  await stack.publishDnsRecords(domain)
  const after = await check()
  assert.deepEqual(
    after.items.filter(({ result }) => result !== 'right' && result !== 'advice'),
    [],
  )
  assert.equal(after.isRight, true)
  const open = before.items.find(({ purpose }) => purpose === 'spf')!
  stack.dns.set(domain, 'TXT', ['v=spf1 +all'])
  const spf = (await check()).items.find(({ purpose }) => purpose === 'spf')!
  assert.notDeepEqual(spf.notes, open.notes)
  assert.match(spf.notes[0]!.en, /everybody in the world/)
  assert.equal((await stack.api('GET', '/v1/domains/no-such.test/dns-check')).status, 404)
})
