import assert from 'node:assert/strict'
import { test } from 'node:test'
import { port, processSettings, secret } from '@sekimori/config/settings'
import Type from 'typebox'
import { readSettings } from './settings.ts'

const schema = Type.Object({
  MAIL_HOSTNAME: processSettings.MAIL_HOSTNAME,
  API_KEY: secret('a key'),
  TLS_CERT_FILE: Type.String({ minLength: 1 }),
  MX_PORT: port(1025, 'a port'),
})
const variables = { MAIL_HOSTNAME: 'mail.example.test', API_KEY_FILE: '/keys/key', TLS_CERT_FILE: '/tls/tls.crt' }
const files = new Map([
  ['/keys/key', 'a-key'],
  ['/tls/tls.crt', 'PEM'],
])

function faultsOf(changed: Record<string, string | undefined>, presentFiles = files): string {
  const entries = Object.entries({ ...variables, ...changed }).filter(([, value]) => value !== undefined)
  const environment = {
    variables: Object.fromEntries(entries) as Record<string, string>,
    files: presentFiles,
    faults: [],
  }
  return readSettings(schema, environment).faults.join('\n')
}

test('the settings are those that the service will read, secrets from their files', () => {
  const { settings } = readSettings(schema, { variables, files, faults: [] })
  assert.deepEqual(settings, {
    MAIL_HOSTNAME: 'mail.example.test',
    API_KEY: 'a-key',
    TLS_CERT_FILE: '/tls/tls.crt',
    MX_PORT: 1025,
  })
})

test('a setting that the service does not know is a fault, and one of OpenTelemetry is not', () => {
  assert.match(faultsOf({ MX_PROT: '25' }), /MX_PROT is no setting/)
  assert.match(faultsOf({ MX_PORT_FILE: '/keys/key' }), /MX_PORT_FILE is no setting/)
  assert.equal(faultsOf({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' }), '')
})

test('a missing or unusable setting is a fault', () => {
  assert.match(faultsOf({ API_KEY_FILE: undefined }), /API_KEY: is required/)
  assert.match(faultsOf({ TLS_CERT_FILE: undefined }), /TLS_CERT_FILE: is required/)
  assert.match(faultsOf({ MX_PORT: 'smtp' }), /MX_PORT: must be integer/)
})

test('a host name left to its default is a fault: each replica would take another', () => {
  assert.match(faultsOf({ MAIL_HOSTNAME: undefined }), /MAIL_HOSTNAME must be given/)
})

test('a file that no volume brings, and a secret outside a file, are faults', () => {
  const onlyTls = new Map([...files].slice(1))
  assert.match(faultsOf({}, onlyTls), /API_KEY_FILE: no volume brings \/keys\/key/)
  assert.match(faultsOf({ TLS_CERT_FILE: '/tls/other.crt' }), /TLS_CERT_FILE: no volume/)
  assert.match(faultsOf({ API_KEY_FILE: undefined, API_KEY: 'known-to-all' }), /API_KEY is a secret/)
})
