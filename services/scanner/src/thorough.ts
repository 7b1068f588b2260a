// The whole check of a mail: clamd on the raw mail, then the inspection of what is inside.
import pLimit from 'p-limit'
import type { ArchiveWalker } from './archive/archive-walker.ts'
import type { ArchiveLimits } from './archive/finding.ts'
import type { Engine } from './engine.ts'
import { inspectMail, worse } from './inspection.ts'
import type { Scan, Verdict } from './verdict.ts'

/** Large mails are held in memory while they are inspected; no more than this many at a time. */
const LARGE = { fromBytes: 1_048_576, atATime: 2 }

const MARK_OF_MAIL = Buffer.from('Received: by the scanner\r\n')

/** An engine whose scan looks into everything inside the mail as well. */
export function thoroughEngine(
  engine: Pick<Engine, 'scan' | 'version'>,
  walker: ArchiveWalker,
  limits: Partial<ArchiveLimits>,
): Pick<Engine, 'scan' | 'version'> {
  const large = pLimit(LARGE.atATime)
  const inspect = async (mail: Buffer): Promise<Verdict> => {
    const attachments = walker.mail(limits)
    return inspectMail(mail, {
      scan: async (bytes) => (await engine.scan(() => once(bytes))).verdict,
      unpack: (attachment) => attachments.walk(attachment),
      takeApart: (whole) => attachments.takeApart(whole),
    })
  }
  return {
    version: engine.version,
    scan: async (open): Promise<Scan> => {
      const raw = await engine.scan(() => asMail(open()))
      if (raw.verdict.kind === 'infected') return raw
      const { mail, isLarge } = await readSome(open(), LARGE.fromBytes)
      const verdict = isLarge ? await large(async () => inspect(await readAll(open()))) : await inspect(mail)
      return { engine: raw.engine, verdict: worse(raw.verdict, verdict) }
    },
  }
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
