import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { loadSecrets } from './secrets.ts'
import { StartFailure } from './start-failure.ts'

function secretsPath(): Disposable & { path: string } {
  const directory = mkdtempSync(join(tmpdir(), 'secrets-'))
  return { path: join(directory, 'secrets.json'), [Symbol.dispose]: () => rmSync(directory, { recursive: true }) }
}

test('secrets are made once, differ from one another and are for the owner only', async () => {
  using file = secretsPath()
  const first = await loadSecrets(file.path, false)
  assert.equal(new Set(Object.values(first)).size, Object.keys(first).length)
  assert.equal(Buffer.from(first.dkimMasterKey, 'base64').length, 32)
  assert.equal(Buffer.from(first.quarantineMasterKey, 'base64').length, 32)
  assert.equal(statSync(file.path).mode & 0o777, 0o600)
  assert.deepEqual(await loadSecrets(file.path, true), first)
})

test('a secret that a newer version needs is added, the others stay', async () => {
  using file = secretsPath()
  const { carolPassword: _, ...older } = await loadSecrets(file.path, false)
  writeFileSync(file.path, JSON.stringify(older))
  const now = await loadSecrets(file.path, true)
  assert.ok(now.carolPassword)
  assert.equal(now.adminApiKey, older.adminApiKey)
})

test('a damaged file is named with the remedy, and never quoted', async () => {
  using file = secretsPath()
  for (const content of ['{"adminApiKey": "s3cret', '[]', '{"adminApiKey": 7}', '']) {
    writeFileSync(file.path, content)
    await assert.rejects(loadSecrets(file.path, true), (error) => {
      assert.ok(error instanceof StartFailure)
      assert.match(error.message, /secrets\.json .*backup/)
      assert.doesNotMatch(`${error.message}${error.stack}${error.cause}`, /s3cret/)
      return true
    })
  }
})

test('secrets that are gone while their data is there are not made anew', async () => {
  using file = secretsPath()
  await assert.rejects(loadSecrets(file.path, true), /is missing, but the data/)
})
