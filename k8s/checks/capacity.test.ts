import assert from 'node:assert/strict'
import { test } from 'node:test'
import { clamdFaults, rabbitmqFaults } from './capacity.ts'
import { coverageFaults } from './coverage.ts'

const CLAMD = `# a comment
Foreground yes
AlertEncrypted yes
AlertExceedsMax yes
DisableCache yes
ConcurrentDatabaseReload yes
SelfCheck 60
StreamMaxLength 50M
MaxFileSize 52428800
MaxScanSize 1G
MaxThreads 20
`
const MAIL_BYTES = 52_428_800

test('clamd that takes the largest mail, alerts and has threads to spare is right', () => {
  assert.deepEqual(clamdFaults(CLAMD, MAIL_BYTES, 19), [])
})

test('clamd that is smaller than a mail, or keeps silent about what it skips, is a fault', () => {
  for (const name of ['StreamMaxLength', 'MaxFileSize', 'MaxScanSize']) {
    const smaller = CLAMD.replace(new RegExp(`${name} .*`), `${name} 49M`)
    assert.deepEqual(clamdFaults(smaller, MAIL_BYTES, 19), [
      `clamd.conf: ${name} is below MAX_MESSAGE_BYTES (52428800)`,
    ])
    assert.equal(clamdFaults(CLAMD.replace(new RegExp(`${name} .*\n`), ''), MAIL_BYTES, 19).length, 1)
  }
  assert.deepEqual(clamdFaults(CLAMD.replace('AlertEncrypted yes', 'AlertEncrypted no'), MAIL_BYTES, 19), [
    'clamd.conf: AlertEncrypted is not yes',
  ])
  for (const name of ['AlertExceedsMax', 'DisableCache'])
    assert.deepEqual(clamdFaults(CLAMD.replace(name, `#${name}`), MAIL_BYTES, 19), [`clamd.conf: ${name} is not yes`])
})

test('clamd that blocks scans while it reloads, or sees new signatures late or never, is a fault', () => {
  const faults = (from: string, to: string) => clamdFaults(CLAMD.replace(from, to), MAIL_BYTES, 19).join()
  assert.match(faults('ConcurrentDatabaseReload yes', 'ConcurrentDatabaseReload no'), /ConcurrentDatabaseReload is not/)
  assert.match(faults('SelfCheck 60', 'SelfCheck 3600'), /SelfCheck takes longer/)
  assert.match(faults('SelfCheck 60\n', ''), /SelfCheck takes longer/)
})

test('clamd with no thread to spare is a fault', () => {
  assert.match(clamdFaults(CLAMD, MAIL_BYTES, 20).join(), /MaxThreads is not above the 20 scans/)
})

test('RabbitMQ that takes held jobs away, or makes other queues by default, is a fault', () => {
  const config = 'consumer_timeout = 604800000\ndefault_queue_type=quorum\n'
  assert.deepEqual(rabbitmqFaults(config), [])
  assert.match(rabbitmqFaults(config.replace('604800000', '1800000')).join(), /consumer_timeout/)
  assert.match(rabbitmqFaults('default_queue_type = quorum').join(), /consumer_timeout/)
  assert.match(rabbitmqFaults(config.replace('quorum', 'classic')).join(), /default_queue_type/)
})

test('a service without a manifest or workload, and either without a service, are faults', () => {
  assert.deepEqual(coverageFaults(['a', 'b'], ['b', 'a'], ['a', 'b']), [])
  assert.deepEqual(coverageFaults(['a', 'b'], ['a'], ['a']), [
    'services/b has no manifest in k8s/base',
    'services/b has no workload',
  ])
  assert.deepEqual(coverageFaults(['a'], ['a', 'c'], ['a', 'd']), [
    'manifest c belongs to no service',
    'workload d belongs to no service',
  ])
})
