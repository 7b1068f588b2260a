// Mails with the EICAR test file in them, in the ways that viruses travel.
import { randomUUID } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { composeMail, eicar } from './mail-text.ts'
import { PYTHON, runClientWell } from './real-client.ts'

interface Ends {
  from: string
  to: string
  subject?: string
}

/** The test file as the text of the mail. */
export function virusMail(ends: Ends): Buffer {
  return composeMail({ ...ends, body: `${eicar()}\r\n` })
}

/** A text, and the file attached in base64. */
export function mailWithAttachment(ends: Ends, name: string, file: Buffer): Buffer {
  const boundary = `b-${randomUUID()}`
  const lines = [
    `--${boundary}`,
    'Content-Type: text/plain; charset=utf-8',
    '',
    'Please find the file attached.',
    `--${boundary}`,
    `Content-Type: application/octet-stream; name="${name}"`,
    `Content-Disposition: attachment; filename="${name}"`,
    'Content-Transfer-Encoding: base64',
    '',
    ...file.toString('base64').match(/.{1,76}/g)!,
    `--${boundary}--`,
    '',
  ]
  const headers = ['MIME-Version: 1.0', `Content-Type: multipart/mixed; boundary="${boundary}"`]
  return composeMail({ ...ends, headers, body: lines.join('\r\n') })
}

/** Zips a file by Python's zipfile, deflated, so that the file's octets don't show. */
export async function zip(name: string, file: Buffer): Promise<Buffer> {
  const program = [
    'import sys, zipfile',
    'with zipfile.ZipFile(sys.stdout.buffer, "w", zipfile.ZIP_DEFLATED) as archive:',
    '    archive.writestr(sys.argv[1], sys.stdin.buffer.read())',
  ]
  const { stdout } = await runClientWell(PYTHON, ['-c', program.join('\n'), name], file)
  return stdout
}

/** The test file by the names under which the tests attach it. */
export async function infectedFiles(): Promise<Record<string, Buffer>> {
  const file = Buffer.from(eicar())
  const zipped = await zip('invoice.com', file)
  return {
    'invoice.com': file,
    'invoice.zip': zipped,
    'invoices.zip': await zip('invoice.zip', zipped),
    'invoice.com.gz': gzipSync(file),
  }
}
