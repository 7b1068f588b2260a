import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isPublic } from './public-address.ts'

test('only addresses of the open internet are public', () => {
  for (const address of ['8.8.8.8', '198.51.101.1', '2606:4700::1', '2a00::1']) assert.ok(isPublic(address), address)
  const others = [
    '127.0.0.1',
    '10.1.2.3',
    '172.31.0.1',
    '192.168.0.1',
    '169.254.169.254',
    '100.64.0.1',
    '0.0.0.0',
    '224.0.0.1',
  ]
  const others6 = [
    '::1',
    '::',
    'fe80::1',
    'fd00::1',
    '::ffff:127.0.0.1',
    '2002:7f00:1::',
    '2001::1',
    'ff02::1',
    '64:ff9b::7f00:1',
  ]
  for (const address of [...others, ...others6]) assert.ok(!isPublic(address), address)
})
