import assert from 'node:assert/strict'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import Type from 'typebox'
import { ConfigError, readConfig } from './config.ts'
import { port, secret } from './settings.ts'

const schema = Type.Object({
  SMTP_PORT: port(25, 'the port'),
  API_KEY: secret('the key'),
  MODE: Type.Union([Type.Literal('on'), Type.Literal('off')], { default: 'on' }),
})

test('settings are converted from text and defaults are filled in', () => {
  assert.deepEqual(readConfig(schema, { SMTP_PORT: '2525', API_KEY: 'k' }), {
    SMTP_PORT: 2525,
    API_KEY: 'k',
    MODE: 'on',
  })
})

test('every fault is named in one report, without the value of a secret', () => {
  assert.throws(
    () => readConfig(schema, { SMTP_PORT: 'soon', MODE: 'perhaps' }),
    (error) => {
      assert.ok(error instanceof ConfigError)
      for (const name of ['SMTP_PORT', 'API_KEY: is required', 'MODE']) assert.match(error.message, new RegExp(name))
      return true
    },
  )
})

test('a secret is read from its file, and naming both is a fault', () => {
  const path = join(mkdtempSync(join(tmpdir(), 'config-')), 'key')
  writeFileSync(path, 's3cret\n')
  assert.equal(readConfig(schema, { API_KEY_FILE: path }).API_KEY, 's3cret')
  assert.throws(() => readConfig(schema, { API_KEY_FILE: path, API_KEY: 'x' }), /not both/)
  assert.throws(() => readConfig(schema, { API_KEY_FILE: `${path}.absent` }), /can't be read \(ENOENT\)/)
})
