// RFC 3461 and RFC 6533: how the parameters are written for the next server.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { rcptParameters } from './dsn-parameter.ts'

test('RFC 6533 3 an original recipient beyond ASCII goes on with its letters embedded, which every server takes', () => {
  const parameters = (orcpt: string) => rcptParameters({ address: 'a@b.test', orcpt })
  assert.equal(parameters('rfc822;c+x@d.test'), ' ORCPT=rfc822;c+2Bx@d.test')
  assert.equal(parameters('utf-8;関@d.test'), ' ORCPT=utf-8;\\x{95A2}@d.test')
  assert.equal(parameters('utf-8;\\x{95A2}@d.test'), ' ORCPT=utf-8;\\x{95A2}@d.test')
})
