import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { DependencyAway } from '@sekimori/runtime/dependency'
import { createLog } from '@sekimori/runtime/log'
import { ContentGone } from '@sekimori/store/content'
import type { DeliveredCopy, RescanRun } from '@sekimori/store/rescan-run'
import type { Verdict } from '../verdict.ts'
import { openPace } from './pace.ts'
import { type RescanPorts, rescan } from './rescan.ts'
import { Settling, signaturesInForce } from './signature-set.ts'

const never = new AbortController().signal
const run: RescanRun = { id: '1', signatures: 'v', since: new Date(0), topUid: '9', cursorUid: '9', endUid: '0' }
const copy = (uid: number, changes: Partial<DeliveredCopy> = {}): DeliveredCopy => ({
  uid: String(uid),
  contentId: `c${uid}`,
  deliveredAt: new Date(uid),
  isOld: false,
  isFirst: true,
  ...changes,
})

/** Ports on which one batch of copies is to be looked at; `said` is what happened. */
function portsFor(
  copies: DeliveredCopy[],
  verdictOn: (contentId: string) => Verdict,
): RescanPorts & { said: string[] } {
  const said: string[] = []
  let batches = [copies, []]
  return {
    said,
    signatures: async () => ({ set: { version: 'v', text: 'v' }, isSettled: true }),
    openRun: async () => (batches.length > 0 ? run : undefined),
    nextCopies: async () => batches.shift() ?? [],
    advance: async (_run, last, { scanned, infected, failed }) => {
      said.push(`${last?.uid ?? 'end'} ${scanned} ${infected} ${failed}`)
      if (last === undefined) batches = []
    },
    scan: async (contentId) => ({ verdict: verdictOn(contentId), engine: 'v' }),
    untilFree: async () => {},
    recordFinding: async ({ contentId }) => void said.push(`found ${contentId}`),
    removable: async () => [],
    remove: async ({ contentId }) =>
      said.includes(`removed ${contentId}`) ? 0 : said.push(`removed ${contentId}`) && 1,
    observe: () => {},
    log: createLog('test', 'silent'),
  }
}

test('a content is scanned at its first copy only, and nothing that is too old', async () => {
  const copies = [copy(5), copy(4, { isFirst: false }), copy(3), copy(2, { isOld: true })]
  const ports = portsFor(copies, () => ({ kind: 'clean' }))
  await rescan(ports, never)
  assert.deepEqual(ports.said, ['3 2 0 0', 'end 0 0 0'])
})

test('what is found is noted before it is removed, and both before the cursor goes on', async () => {
  const ports = portsFor([copy(5), copy(4)], (id) =>
    id === 'c5' ? { kind: 'infected', signature: 'Late' } : { kind: 'unscannable', reason: 'encrypted' },
  )
  await rescan(ports, never)
  assert.deepEqual(ports.said, ['found c5', 'removed c5', '4 2 1 0', 'end 0 0 0'])
})

test('mail that is gone, or that gives no verdict, does not hold up the rest', async () => {
  const ports = portsFor([copy(5), copy(4), copy(3)], (id) => {
    if (id === 'c5') throw new ContentGone('gone')
    if (id === 'c4') throw new Error('no verdict')
    return { kind: 'clean' }
  })
  await rescan(ports, never)
  assert.deepEqual(ports.said, ['3 1 0 1', 'end 0 0 0'])
})

test('while clamd is away nothing counts as looked at', async () => {
  const ports = portsFor([copy(5), copy(4), copy(3)], (id) => {
    if (id === 'c4') throw new DependencyAway('clamd')
    return { kind: 'clean' }
  })
  await assert.rejects(rescan(ports, never), DependencyAway)
  assert.deepEqual(ports.said, ['5 1 0 0'])
})

test('the pace is that of the setting, and stands still while fresh mail is scanned', async () => {
  let isBusy = true
  const untilFree = openPace(100, () => isBusy)
  const startedAt = performance.now()
  setTimeout(() => {
    isBusy = false
  }, 150)
  await untilFree(never)
  assert.ok(performance.now() - startedAt >= 140)
  const fastAt = performance.now()
  for (let i = 0; i < 50; i++) await untilFree(never)
  assert.ok(performance.now() - fastAt >= 350)
})

test("the newest signatures of a fit clamd count, and an operator's own files beside them", async () => {
  const at = (day: number) => new Date(Date.UTC(2026, 10, day))
  const engines = [
    { endpoint: 'a', version: 'ClamAV 1/9', signaturesAt: at(9), fault: 'unreachable' as const },
    { endpoint: 'b', version: 'ClamAV 1/7', signaturesAt: at(7) },
    { endpoint: 'c', version: 'ClamAV 1/8', signaturesAt: at(8) },
  ]
  assert.deepEqual(await signaturesInForce(engines, ''), { version: 'ClamAV 1/8', text: 'ClamAV 1/8' })
  assert.equal(await signaturesInForce(engines.slice(0, 1), ''), undefined)
  const directory = mkdtempSync(join(tmpdir(), 'sekimori-set-'))
  try {
    const text = async () => (await signaturesInForce(engines, directory))!.text
    const before = await text()
    writeFileSync(join(directory, 'daily.cld'), 'in the version already')
    assert.equal(await text(), before)
    writeFileSync(join(directory, 'own.ndb'), 'A:0:*:41\n')
    assert.notEqual(await text(), before)
  } finally {
    rmSync(directory, { recursive: true })
  }
})

test('a set of signatures settles from when it was first seen; another one begins anew', () => {
  const settling = new Settling()
  const [one, two] = ['1', '2'].map((text) => ({ version: text, text })) as [{ version: string; text: string }, never]
  assert.deepEqual(
    [settling.age(one, 100), settling.age(one, 150), settling.age(two, 200), settling.age(one, 260)],
    [0, 50, 0, 0],
  )
})
