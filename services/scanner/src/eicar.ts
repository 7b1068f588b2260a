// The EICAR test file, assembled at run time so that this source is no finding itself, and mails that carry it.

const EICAR = ['X5O!P%@AP[4\\PZX54(P^)7CC)7}$', 'EICAR', '-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*'].join('')
const LINE = Buffer.from(`${'sekimori self-test '.repeat(4)}\r\n`)
const BLOCK = Buffer.concat(Array.from({ length: 1_024 }, () => LINE))

/** The test file by itself. */
export async function* eicarFile(): AsyncIterable<Buffer> {
  yield Buffer.from(EICAR)
}

/** A mail of about `sizeBytes` whose last part is the test file: who finds it has looked at the whole mail. */
export async function* eicarMail(sizeBytes: number): AsyncIterable<Buffer> {
  const type = 'Content-Type: multipart/mixed; boundary=self-test'
  yield Buffer.from(`From: <>\r\nMIME-Version: 1.0\r\n${type}\r\n\r\n--self-test\r\nContent-Type: text/plain\r\n\r\n`)
  const encoded = Buffer.from(EICAR).toString('base64')
  const head = 'Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64'
  const tail = Buffer.from(`\r\n--self-test\r\n${head}\r\n\r\n${encoded}\r\n--self-test--\r\n`)
  for (let rest = sizeBytes - tail.length - 512; rest > 0; rest -= BLOCK.length)
    yield BLOCK.subarray(0, Math.min(rest, BLOCK.length))
  yield tail
}
