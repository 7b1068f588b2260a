import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bearerRefusal, readBearer } from './bearer.ts'

test("RFC 7628 section 4: the client's messages of the examples are read", () => {
  const message =
    'n,a=user@example.com,\x01host=server.example.com\x01port=143\x01auth=Bearer vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==\x01\x01'
  assert.deepEqual(readBearer('OAUTHBEARER', message), {
    token: 'vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==',
    address: 'user@example.com',
  })
  assert.deepEqual(readBearer('OAUTHBEARER', 'n,,\x01auth=Bearer a.b.c\x01\x01'), {
    token: 'a.b.c',
    address: undefined,
  })
  assert.equal(readBearer('OAUTHBEARER', 'y,a=a=2Cb=3Dc@x.test,\x01auth=bearer t\x01\x01')?.address, 'a,b=c@x.test')
})

test('XOAUTH2 names the user always', () => {
  const expected = { token: 'a.b.c', address: 'alice@example.test' }
  assert.deepEqual(readBearer('XOAUTH2', 'user=Alice@Example.test\x01auth=Bearer a.b.c\x01\x01'), expected)
  assert.equal(readBearer('XOAUTH2', 'auth=Bearer a.b.c\x01\x01'), undefined)
})

test('what is malformed, or wants channel binding or another scheme, is not read', () => {
  for (const message of [
    '',
    'n,,',
    'n,,\x01auth=Bearer a.b.c',
    'n,,\x01auth=Bearer a.b.c\x01',
    'n,,\x01auth=Basic abc\x01\x01',
    'n,,\x01auth=Bearer a b\x01\x01',
    'p=tls-unique,,\x01auth=Bearer a.b.c\x01\x01',
    'user=a@b.test\x01auth=Bearer a.b.c\x01\x01',
  ])
    assert.equal(readBearer('OAUTHBEARER', message), undefined, JSON.stringify(message))
})

test('RFC 7628 section 3.2.2: a refusal says why, and where tokens come from', () => {
  assert.deepEqual(bearerRefusal('OAUTHBEARER', 'https://id.example/realm/'), {
    status: 'invalid_token',
    scope: 'openid email',
    'openid-configuration': 'https://id.example/realm/.well-known/openid-configuration',
  })
  assert.deepEqual(bearerRefusal('XOAUTH2', 'https://id.example'), {
    status: '401',
    schemes: 'bearer',
    scope: 'openid email',
  })
})
