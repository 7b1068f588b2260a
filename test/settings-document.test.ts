import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { PAGE, renderSettings } from './settings-document.ts'

test('docs/settings.md lists the settings that the services read', async () => {
  const page = readFileSync(PAGE, 'utf8')
  assert.equal(page, await renderSettings(), 'write it anew: node deploy/local/run.mjs test/settings-document.ts')
})
