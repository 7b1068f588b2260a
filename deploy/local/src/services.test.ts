import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readSettings } from './config.ts'
import type { Secrets } from './secrets.ts'
import { type ServiceContext, serviceEnvironment, serviceNames } from './services.ts'
import { statePaths } from './state-directory.ts'

function context(environment: Record<string, string>): ServiceContext {
  const settings = readSettings({ STATE_DIR: '/nonexistent', ...environment }, false)
  return {
    settings,
    paths: statePaths(settings.STATE_DIR),
    secrets: {
      adminApiKey: 'admin-secret',
      dkimMasterKey: 'dkim-secret',
      quarantineMasterKey: 'quarantine-secret',
      srsSecret: 'srs-secret',
    } as Secrets,
    servers: {
      databaseUrl: 'postgres://ours',
      amqpUrl: 'amqp://ours',
      clamdAddress: '/clamd.sock',
      broker: Promise.resolve(),
      scratchDir: '/scratch',
    },
    tls: { caCertificate: '/ca.pem', certificate: '/server.pem', key: '/server-key.pem' },
    environment,
  }
}

test('a setting that local mode does not know goes through to the services', () => {
  const environment = serviceEnvironment('remote-delivery', context({ RETRY_SCHEDULE: '1s,2s', SMARTHOST: 'a:25' }))
  assert.equal(environment.RETRY_SCHEDULE, '1s,2s')
  assert.equal(environment.SMARTHOST, 'a:25')
})

test('nothing in the environment leads a service to servers that are not ours', () => {
  const foreign = {
    DATABASE_URL: 'postgres://theirs',
    DATABASE_URL_FILE: '/theirs',
    AMQP_URL_FILE: '/theirs',
    PGHOST: 'theirs',
    PGSSLMODE: 'require',
  }
  const environment = serviceEnvironment('scanner', context(foreign))
  assert.equal(environment.DATABASE_URL, 'postgres://ours')
  for (const name of ['DATABASE_URL_FILE', 'AMQP_URL_FILE', 'PGHOST', 'PGSSLMODE']) assert.ok(!(name in environment))
})

test('each service gets only the keys that it works with', () => {
  const holders = (secret: string) =>
    serviceNames.filter((name) => Object.values(serviceEnvironment(name, context({}))).includes(secret))
  assert.deepEqual(holders('dkim-secret'), ['dkim-signer', 'settings-api'])
  assert.deepEqual(holders('quarantine-secret'), ['scanner'])
  assert.deepEqual(holders('admin-secret'), ['settings-api'])
})

test('signatures of any age will do on a machine of one, unless told otherwise', () => {
  assert.equal(serviceEnvironment('scanner', context({})).SIGNATURE_MAX_AGE, 'off')
  assert.equal(serviceEnvironment('scanner', context({ SIGNATURE_MAX_AGE: '3d' })).SIGNATURE_MAX_AGE, '3d')
})
