// Opens the archives in the attachments of mails, in threads of their own: hostile content can neither hold up nor
// harm the process, and costs one mail no more than its limits.
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { type ArchiveLimits, defaultLimits } from './finding.ts'
import { MailWalk } from './mail-walk.ts'
import { Thread } from './thread.ts'
import { Turns } from './turns.ts'
import { compile } from './web-assembly.ts'

export interface ArchiveWalker extends AsyncDisposable {
  /**
   * One mail: its attachments share the limits.
   * @param mayWait what is slow has its time, and waits for its turn; otherwise its walk throws NeedsTime.
   */
  mail(limits?: Partial<ArchiveLimits>, mayWait?: boolean): MailWalk
}

export interface WalkerOptions {
  /** Threads that take any mail; one more takes only quick ones. */
  threads: number
}

/** Opens the walker. Threads start when they are first needed. */
export async function openArchiveWalker({ threads }: WalkerOptions): Promise<ArchiveWalker> {
  const module = await compile(await readFile(fileURLToPath(import.meta.resolve('7z-wasm/7zz.wasm'))))
  const forAll = Array.from({ length: threads }, () => new Thread(module))
  const quick = [new Thread(module)]
  const turns = new Turns(forAll, quick)
  return {
    mail: (limits, mayWait = true) => new MailWalk(turns, { ...defaultLimits, ...limits }, mayWait),
    async [Symbol.asyncDispose]() {
      await Promise.all([...forAll, ...quick].map((thread) => thread[Symbol.asyncDispose]()))
    },
  }
}
