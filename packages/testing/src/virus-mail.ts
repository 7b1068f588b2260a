// Mails with the EICAR test file in them, in the ways that viruses travel.
import { randomUUID } from 'node:crypto'
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

const tar = (mode: string) =>
  `with tarfile.open(fileobj=out, mode="${mode}") as archive: archive.addfile(info, io.BytesIO(data))`

const PACKERS = {
  zip: 'with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive: archive.writestr(name, data)',
  tar: tar('w'),
  'tar.gz': tar('w:gz'),
  'tar.bz2': tar('w:bz2'),
  gz: 'out.write(gzip.compress(data))',
  bz2: 'out.write(bz2.compress(data))',
}

export type Packing = keyof typeof PACKERS

/** Packs a file by Python's own modules, so that its octets don't show. */
export async function pack(packing: Packing, name: string, file: Buffer): Promise<Buffer> {
  const program = [
    'import bz2, gzip, io, sys, tarfile, zipfile',
    'name, data, out = sys.argv[1], sys.stdin.buffer.read(), io.BytesIO()',
    'info = tarfile.TarInfo(name)',
    'info.size = len(data)',
    PACKERS[packing],
    'sys.stdout.buffer.write(out.getvalue())',
  ]
  const { stdout } = await runClientWell(PYTHON, ['-c', program.join('\n'), name], file)
  return stdout
}
