// The self-test of one clamd: whether it answers, finds EICAR, looks at the whole of a mail, and has young signatures.
import type { NetConnectOpts } from 'node:net'
import type { EngineFault } from '@sekimori/store/signature-status'
import { askClamd, shown } from './clamd.ts'
import { eicarFile, eicarMail } from './eicar.ts'
import { ageFault, type EngineVersion, readVersion } from './signature-version.ts'
import { readReply } from './verdict.ts'

/** The test failed; `kind` is for those who must know why, `message` for the log and /readyz. */
export class SelfTestFault extends Error {
  override name = 'SelfTestFault'
  readonly kind: EngineFault

  constructor(kind: EngineFault, message: string, options?: ErrorOptions) {
    super(message, options)
    this.kind = kind
  }
}

export interface SelfTestOptions {
  address: NetConnectOpts
  /** How long the answer to VERSION may take: clamd gives it at once, also while all of its threads are busy. */
  answerTimeoutMs: number
  /** How long the scan of the test file may take, and that of a large mail. */
  smallScanTimeoutMs: number
  scanTimeoutMs: number
  /** Mail up to this size must be looked at to its end. */
  maxMessageBytes: number
  /** Signatures older than this are not relied on. */
  signatureMaxAgeMs: number
  signal: AbortSignal
}

/** clamd's version. It may be asked of a clamd that is not to be used. @throws SelfTestFault */
export async function askVersion({ address, answerTimeoutMs, signal }: SelfTestOptions): Promise<EngineVersion> {
  const text = await answer(() => askClamd({ address, command: 'VERSION', timeoutMs: answerTimeoutMs, signal }))
  const version = readVersion(text)
  if (version === undefined) throw new SelfTestFault('unreachable', `this is no clamd: it answers ${shown(text)}`)
  return version
}

/** An engine that misses EICAR lets everything by. @throws SelfTestFault */
export async function checkFindsEicar(options: SelfTestOptions): Promise<void> {
  if (await finds(options, eicarFile(), options.smallScanTimeoutMs)) return
  const message = 'clamd does not find the EICAR test file: are its signatures there?'
  throw new SelfTestFault('misses-eicar', message)
}

/** An engine that stops in the middle of a large mail lets the rest by. @throws SelfTestFault */
export async function checkLooksToTheEnd(options: SelfTestOptions): Promise<void> {
  if (await finds(options, eicarMail(options.maxMessageBytes), options.scanTimeoutMs)) return
  const limits = 'StreamMaxLength, MaxFileSize and MaxScanSize must be above MAX_MESSAGE_BYTES'
  throw new SelfTestFault('misses-the-end', `clamd does not look at the whole of a large mail: ${limits}`)
}

/** @throws SelfTestFault */
export function checkAge({ signaturesAt }: EngineVersion, signatureMaxAgeMs: number): void {
  const fault = ageFault(signaturesAt, signatureMaxAgeMs, Date.now())
  if (fault !== undefined) throw new SelfTestFault(fault.kind, fault.message)
}

async function finds(
  { address, signal }: SelfTestOptions,
  content: AsyncIterable<Buffer>,
  timeoutMs: number,
): Promise<boolean> {
  const reply = await answer(() => askClamd({ address, command: 'INSTREAM', timeoutMs, content, signal }))
  return readReply(reply)?.kind === 'infected'
}

async function answer(ask: () => Promise<string>): Promise<string> {
  try {
    return await ask()
  } catch (cause) {
    throw new SelfTestFault('unreachable', (cause as Error).message, { cause })
  }
}
