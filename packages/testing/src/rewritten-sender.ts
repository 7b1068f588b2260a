// Rewritten senders (SRS) as the system makes them, and as somebody would who wants to misuse it.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { rewriteSender } from '@sekimori/mail/srs'
import { DOMAIN, type Stack } from './stack.ts'

const DAY_MS = 86_400_000

/** The rewritten form of an address, made so many days ago with the system's own secret or with another one. */
export function rewrittenSender(stack: Stack, address: string, ageDays: number, secret?: string): string {
  const { srsSecret } = JSON.parse(readFileSync(join(stack.launcher.stateDir, 'secrets.json'), 'utf8'))
  const key = { secret: secret ?? srsSecret, maxAgeMs: 0 }
  return rewriteSender(key, address, DOMAIN, Date.now() - ageDays * DAY_MS)!
}
