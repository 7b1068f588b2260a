// The whole check of a mail: what is inside of it, and clamd on the raw mail.
import pLimit from 'p-limit'
import type { ArchiveWalker } from './archive/archive-walker.ts'
import type { ArchiveLimits } from './archive/finding.ts'
import { NeedsTime } from './archive/needs-time.ts'
import type { Engine } from './engine.ts'
import { type Inspected, inspectMail, worse } from './inspection.ts'
import type { Scan } from './verdict.ts'

/** Large mails are held in memory while they are inspected; no more than this many at a time. */
const LARGE = { fromBytes: 1_048_576, atATime: 2, mostWaiting: 8 }

const MARK_OF_MAIL = Buffer.from('Received: by the scanner\r\n')

type Open = () => AsyncIterable<Buffer>

export interface Thorough {
  /** Looks into everything inside the mail as well. Slow mails wait for one another. @throws what the engine's scan throws */
  scan(open: Open): Promise<Scan>
  /** The same, for mails behind which others wait. @throws NeedsTime when `scan` would take long, or would have to wait for others that do */
  scanUnlessSlow(open: Open): Promise<Scan>
}

export function thoroughEngine(
  engine: Pick<Engine, 'scan' | 'version'>,
  walker: ArchiveWalker,
  limits: Partial<ArchiveLimits>,
): Thorough {
  const large = pLimit(LARGE.atATime)
  const inspect = async (open: Open, mayWait: boolean): Promise<Inspected> => {
    const { mail, isLarge } = await readSome(open(), LARGE.fromBytes)
    const attachments = walker.mail(limits, mayWait)
    const ports = {
      scan: async (bytes: Buffer) => (await engine.scan(() => once(bytes))).verdict,
      unpack: (attachment: Buffer) => attachments.walk(attachment),
      takeApart: (whole: Buffer) => attachments.takeApart(whole),
    }
    if (!isLarge) return inspectMail(mail, ports)
    if (!mayWait && large.pendingCount >= LARGE.mostWaiting) throw new NeedsTime('too many large mails wait')
    return large(async () => inspectMail(await readAll(open()), ports))
  }
  const check = async (open: Open, mayWait: boolean): Promise<Scan> => {
    const { verdict, needsRawScan } = await inspect(open, mayWait)
    if (!needsRawScan) return { engine: engine.version(), verdict }
    const raw = await engine.scan(() => asMail(open()))
    return { engine: raw.engine, verdict: worse(raw.verdict, verdict) }
  }
  return { scan: (open) => check(open, true), scanUnlessSlow: (open) => check(open, false) }
}

/**
 * clamd takes for a mail what begins with one of some fields, in its own spelling; where others are first it does not look
 * for attachments at all.
 */
async function* asMail(content: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
  yield MARK_OF_MAIL
  yield* content
}

async function readSome(
  content: AsyncIterable<Buffer>,
  mostBytes: number,
): Promise<{ mail: Buffer; isLarge: boolean }> {
  const parts: Buffer[] = []
  let size = 0
  for await (const part of content) {
    parts.push(part)
    size += part.length
    if (size > mostBytes) return { mail: Buffer.alloc(0), isLarge: true }
  }
  return { mail: parts.length === 1 ? parts[0]! : Buffer.concat(parts), isLarge: false }
}

async function readAll(content: AsyncIterable<Buffer>): Promise<Buffer> {
  const parts: Buffer[] = []
  for await (const part of content) parts.push(part)
  return Buffer.concat(parts)
}

async function* once(bytes: Buffer): AsyncIterable<Buffer> {
  yield bytes
}
