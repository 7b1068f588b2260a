// Verdicts, and how clamd's replies are read. A reply that is not understood is no verdict: the mail waits.
import type { UnscannableReason } from '@sekimori/mail/unscannable'

export type { UnscannableReason }

export type Verdict =
  | { kind: 'clean' }
  | { kind: 'infected'; signature: string }
  | { kind: 'unscannable'; reason: UnscannableReason }

/** A verdict, and the engine and signature version that gave it, such as "ClamAV 1.4.6/27000/Mon Nov 16 2026". */
export interface Scan {
  verdict: Verdict
  engine: string
}

const ENCRYPTED = /^Heuristics\.Encrypted\./
const LIMIT = /^Heuristics\.Limits\.Exceeded\.(\w+)/
const REASON_OF_LIMIT = new Map<string, UnscannableReason>([
  ['MaxRecursion', 'depth'],
  ['MaxScanTime', 'time'],
])

/** Reads one reply of clamd to INSTREAM; undefined when it holds no verdict. */
export function readReply(reply: string): Verdict | undefined {
  if (reply === 'stream: OK') return { kind: 'clean' }
  if (reply === 'INSTREAM size limit exceeded. ERROR') return { kind: 'unscannable', reason: 'size' }
  const signature = /^stream: (.+) FOUND$/.exec(reply)?.[1]
  if (signature === undefined) return undefined
  if (ENCRYPTED.test(signature)) return { kind: 'unscannable', reason: 'encrypted' }
  const limit = LIMIT.exec(signature)?.[1]
  if (limit !== undefined) return { kind: 'unscannable', reason: REASON_OF_LIMIT.get(limit) ?? 'size' }
  return { kind: 'infected', signature }
}

/** The value of the X-Virus-Status field: verdict, host, engine and signature version. */
export function statusLine(verdict: Verdict, hostname: string, engine: string): string {
  return `X-Virus-Status: ${describe(verdict)}; host=${hostname};\r\n\tengine="${engine.replace(/["\\\r\n]/g, '')}"`
}

/** The verdict in a word or two, for header and history. */
export function describe(verdict: Verdict): string {
  switch (verdict.kind) {
    case 'clean':
      return 'clean'
    case 'infected':
      return `infected (${verdict.signature.replace(/[^\w.:+-]/g, '_')})`
    case 'unscannable':
      return `unscannable (${verdict.reason})`
  }
}
