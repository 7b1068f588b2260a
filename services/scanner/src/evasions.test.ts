// The whole check, with the real clamd, of mails that hide the EICAR test file, and of mails that are only odd.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eicar } from '@sekimori/testing/mail-text'
import { benignMails } from './testing/benign-mails.ts'
import { combinedEvasions } from './testing/combined-evasions.ts'
import { drawnMails } from './testing/drawn-mails.ts'
import { evasions } from './testing/evasions.ts'
import { fileEvasions } from './testing/place-evasions.ts'
import { openRealEngine, type RealEngine } from './testing/real-engine.ts'
import type { Sample } from './testing/sample.ts'
import { uncheckableMails } from './testing/uncheckable-mails.ts'
import { describe } from './verdict.ts'

const AT_A_TIME = 4

/** The names of the mails that get another verdict, with it. */
async function unlike(expected: (sample: Sample) => string, samples: Sample[], engine: RealEngine): Promise<string[]> {
  const rest = [...samples]
  const wrong: string[] = []
  const work = async () => {
    for (let sample = rest.pop(); sample !== undefined; sample = rest.pop()) {
      const verdict = describe((await engine.scan(sample.mail)).verdict)
      if (!verdict.startsWith(expected(sample))) wrong.push(`${sample.name}: ${verdict}`)
    }
  }
  await Promise.all(Array.from({ length: AT_A_TIME }, work))
  return wrong
}

test('S1-15 a virus is found behind every way to break MIME', async () => {
  await using engine = await openRealEngine()
  const samples = [...evasions(eicar()), ...fileEvasions(eicar()), ...combinedEvasions(eicar(), 500)]
  assert.ok(samples.length > 1_500)
  assert.deepEqual(await unlike(() => 'infected', samples, engine), [])
})

test('S1-15 a virus is found wherever it stands in mail by the rules, also where clamd by itself leaves it out', async () => {
  await using engine = await openRealEngine()
  assert.deepEqual(await unlike(() => 'infected', drawnMails(eicar(), 500), engine), [])
  assert.deepEqual(await unlike(() => 'clean', drawnMails('a harmless file', 100), engine), [])
})

test('mail that is odd and harmless is clean', async () => {
  await using engine = await openRealEngine()
  const samples = benignMails()
  assert.ok(samples.length >= 20)
  assert.deepEqual(await unlike(() => 'clean', samples, engine), [])
})

test('S1-24 mail of which nobody but its reader can see the content is not called clean', async () => {
  await using engine = await openRealEngine()
  const samples = uncheckableMails()
  const expected = ({ name }: Sample) => `unscannable (${name.startsWith('a piece') ? 'damaged' : 'encrypted'})`
  assert.deepEqual(await unlike(expected, samples, engine), [])
})
