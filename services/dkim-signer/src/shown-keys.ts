// The keys that sign a mail: those that the database chooses, less any whose record DNS, asked as receivers ask it, does not show
// now. The answer is kept for the record's own TTL: for so long a record that vanished may still be signed with.
import { lookUpKey, type ShownKey } from '@sekimori/dns/dkim-record'
import type { Resolve } from '@sekimori/dns/resolver'
import type { Log } from '@sekimori/runtime/log'
import type { CandidateKey, CandidateKeys, SigningKeys } from '@sekimori/store/dkim-key'
import { keysThatSign } from '@sekimori/store/dkim-key-rule'

export interface ShownKeyPorts {
  candidates: CandidateKeys
  /** With a cache. */
  resolve: Resolve
  /** Has the key keeper look at every server soon. */
  lookSoon(id: string): Promise<void>
  log: Log
  /** Clock in milliseconds. */
  now?: () => number
}

/** For so long nobody asks again for a record about which DNS said nothing: its domain's mails do not wait one by one. */
const SILENCE_MS = 60_000
const LOOK_AGAIN_MS = 60_000

export function openShownKeys(ports: ShownKeyPorts): SigningKeys {
  const { candidates, resolve, now = () => performance.now() } = ports
  const told = new Map<string, number>()
  const silentUntil = new Map<string, number>()

  async function shownNow(key: CandidateKey): Promise<ShownKey['kind']> {
    if (now() < (silentUntil.get(key.id) ?? Number.NEGATIVE_INFINITY)) return 'unknown'
    const shown = await lookUpKey(resolve, key)
    if (shown.kind === 'unknown' && shown.code !== 'ESERVFAIL') silentUntil.set(key.id, now() + SILENCE_MS)
    else silentUntil.delete(key.id)
    return shown.kind
  }

  async function tell({ id, name, shown }: CandidateKey, found: string): Promise<void> {
    if (shown !== 'matches' || now() < (told.get(id) ?? Number.NEGATIVE_INFINITY)) return
    told.set(id, now() + LOOK_AGAIN_MS)
    ports.log.warn({ dnsName: name, shown: found }, 'DNS does not show a DKIM key that would sign')
    await ports.lookSoon(id)
  }

  return async (domain) => {
    const keys = await candidates(domain)
    const seen = await Promise.all(
      keys.map(async (key) => {
        const found = await shownNow(key)
        if (found !== 'missing' && found !== 'differs') return key
        await tell(key, found)
        return { ...key, shown: found, looks: Number.POSITIVE_INFINITY }
      }),
    )
    return keysThatSign(seen).map((key) => key.open())
  }
}
