// DKIM signatures verified by OpenDKIM's own filter (`opendkim -t`), with keys as a DNS server gives them.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseHeader } from '@sekimori/mail/header'
import { runClient } from './real-client.ts'

const OPENDKIM = '/usr/sbin/opendkim'

/** Whether OpenDKIM verifies the mail's signature of each selector. It is shown them one at a time: it reports one. */
export async function checkByOpenDkim(mail: Buffer, records: Record<string, string>): Promise<Record<string, boolean>> {
  const directory = await mkdtemp(join(tmpdir(), 'sekimori-opendkim-'))
  try {
    const [keys, configuration, message] = ['keys', 'opendkim.conf', 'mail'].map((name) => join(directory, name))
    await writeFile(
      keys!,
      Object.entries(records)
        .map(([name, record]) => `${name} ${record}\n`)
        .join(''),
    )
    await writeFile(configuration!, `TestPublicKeys ${keys}\n`)
    const results: Record<string, boolean> = {}
    for (const [selector, single] of withOneSignature(mail)) {
      await writeFile(message!, single)
      const { transcript } = await runClient(OPENDKIM, ['-x', configuration!, '-t', message!])
      results[selector] = new RegExp(`\\(s=${selector}, d=[^)]*\\) succeeded`).test(transcript)
    }
    return results
  } finally {
    await rm(directory, { recursive: true })
  }
}

function withOneSignature(mail: Buffer): [string, Buffer][] {
  const signatures = parseHeader(mail).filter(({ name }) => name === 'dkim-signature')
  return signatures.map((chosen) => {
    const selector = /(?:^|[;\s])s=\s*([^;\s]+)/.exec(chosen.value)![1]!
    const others = signatures.filter((signature) => signature !== chosen).reverse()
    const single = others.reduce(
      (rest, { start, end }) => Buffer.concat([rest.subarray(0, start), rest.subarray(end)]),
      mail,
    )
    return [selector, single]
  })
}
