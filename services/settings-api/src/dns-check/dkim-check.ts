// DKIM: is each key that is to be published there, and is what may go gone?
import { lookUpKey, type ShownKey } from '@sekimori/dns/dkim-record'
import { type DkimKeyRecord, keyType } from '@sekimori/store/dkim-key'
import { shownText, toDoText } from '../dkim-key-text.ts'
import type { CheckContext, Note, RecordCheck } from './record-check.ts'

const MOST_RETIRED = 10

export async function checkDkim({ resolve }: CheckContext, keys: DkimKeyRecord[]): Promise<RecordCheck[]> {
  const retired = keys.filter(({ state }) => state === 'retired').slice(0, MOST_RETIRED)
  const checks = [...keys.filter(({ state }) => state !== 'retired'), ...retired].map(async (key) => {
    const expected = { name: key.dnsName, keyType: keyType(key.algorithm), publicKey: key.publicKey }
    const shown = await lookUpKey(resolve, expected)
    const found = shown.kind === 'differs' ? shown.records : shown.kind === 'matches' ? [key.dnsRecord] : []
    const check = { purpose: 'dkim', name: key.dnsName, found, notes: notesOn(key, shown) } as const
    return key.state === 'retired' ? check : { ...check, expected: key.dnsRecord }
  })
  const done = await Promise.all(checks)
  return done.filter(({ expected, notes }: RecordCheck) => expected !== undefined || notes.length > 0)
}

function notesOn(key: DkimKeyRecord, shown: ShownKey): Note[] {
  if (shown.kind === 'unknown') return [{ weight: 'unknown', ...shownText(shown) }]
  if (key.state === 'retired') {
    const toDo = toDoText({ ...key, shown: shown.kind })
    return toDo === undefined ? [] : [{ weight: 'advice', ...toDo }]
  }
  if (shown.kind === 'matches') return []
  const isNeeded = key.state === 'active'
  const weight = shown.kind === 'missing' ? 'missing' : 'wrong'
  const what = shownText(shown)
  const toDo = toDoText({ ...key, shown: shown.kind })!
  return [{ weight: isNeeded ? weight : 'advice', ja: `${what.ja}${toDo.ja}`, en: `${what.en} ${toDo.en}` }]
}
