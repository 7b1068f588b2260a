// clamd must not remember what it found clean: it would know it by its MD5, and two files may be made that have the same.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { startClamd } from './clamd.ts'

/** X. Wang, D. Feng, X. Lai, H. Yu, "Collisions for Hash Functions MD4, MD5, HAVAL-128 and RIPEMD" (2004). */
const HARMLESS = Buffer.from(
  'd131dd02c5e6eec4693d9a0698aff95c2fcab58712467eab4004583eb8fb7f8955ad340609f4b30283e488832571415a' +
    '085125e8f7cdc99fd91dbdf280373c5bd8823e3156348f5bae6dacd436c919c6dd53e2b487da03fd02396306d248cda0' +
    'e99f33420f577ee8ce54b67080a80d1ec69821bcb6a8839396f9652b6ff72a70',
  'hex',
)
const MALICIOUS = Buffer.from(HARMLESS)
for (const at of [19, 45, 59, 83, 109, 123]) MALICIOUS[at]! ^= 0x80

async function scan(address: string, content: Buffer): Promise<string> {
  const socket = connect(address)
  const length = Buffer.alloc(4)
  length.writeUInt32BE(content.length)
  socket.write(Buffer.concat([Buffer.from('zINSTREAM\0'), length, content, Buffer.alloc(4)]))
  return Buffer.concat(await Array.fromAsync(socket)).toString()
}

test('a file is found although one with the same MD5 was clean before', async () => {
  const md5 = (bytes: Buffer) => createHash('md5').update(bytes).digest('hex')
  assert.ok(md5(HARMLESS) === md5(MALICIOUS) && !HARMLESS.equals(MALICIOUS))
  const dir = mkdtempSync(join(tmpdir(), 'clamd-cache-'))
  try {
    mkdirSync(join(dir, 'signatures'))
    writeFileSync(join(dir, 'signatures', 'test.ndb'), `Test.Collision:0:*:${MALICIOUS.toString('hex', 16, 64)}\n`)
    await using clamd = await startClamd({ dir })
    assert.match(await scan(clamd.address, HARMLESS), /^stream: OK/)
    assert.match(await scan(clamd.address, MALICIOUS), /^stream: Test\.Collision.* FOUND/)
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
})
