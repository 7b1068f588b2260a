// 「ウィルス警告メール設定」 as the settings API offers it to the control panel.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { subjectOf } from '@sekimori/testing/mail-text'
import { sharedStack } from '@sekimori/testing/shared-stack'
import { virusMail } from '@sekimori/testing/virus-mail'

const CHANGED = (choice: string) => `ウィルスチェックの警告メールを「${choice}」に変更しました`

test('S1-28 S1-29 warnings are on for a new account', async () => {
  const stack = await sharedStack()
  const { address } = await stack.createMailbox()
  const { status, body } = await stack.api('GET', `/v1/accounts/${address}/preferences`)
  assert.equal(status, 200)
  assert.deepEqual(body, { virusWarning: true })
})

test('S1-30 each choice is kept and confirmed in the words of the control panel', async () => {
  const stack = await sharedStack()
  const { address } = await stack.createMailbox()
  const path = `/v1/accounts/${address}/preferences`
  for (const [virusWarning, choice] of [
    [false, '送信しない'],
    [true, '送信する'],
    [true, '送信する'],
  ] as const) {
    const { status, body } = await stack.api('PATCH', path, { virusWarning })
    assert.equal(status, 200)
    assert.equal(body.virusWarning, virusWarning)
    assert.equal(body.message.ja, CHANGED(choice))
    assert.match(body.message.en, virusWarning ? /"send"/ : /"do not send"/)
    assert.deepEqual((await stack.api('GET', path)).body, { virusWarning })
  }
})

test('S1-31 choosing 送信しない brings the caution that one will not learn of stopped mail', async () => {
  const stack = await sharedStack()
  const { address } = await stack.createMailbox()
  const path = `/v1/accounts/${address}/preferences`
  const off = await stack.api('PATCH', path, { virusWarning: false })
  assert.match(off.body.caution.ja, /通知されません/)
  assert.match(off.body.caution.ja, /メーリングリスト/)
  assert.match(off.body.caution.en, /will not learn of mail that was stopped/)
  assert.equal((await stack.api('PATCH', path, { virusWarning: true })).body.caution, undefined)
})

test('S1-28 a changed choice counts for the next mail', async () => {
  const stack = await sharedStack()
  const bob = await stack.createMailbox()
  const infect = (subject: string) =>
    stack.sendAsStranger(
      'x@sender.example',
      [bob.address],
      virusMail({ from: 'x@sender.example', to: bob.address, subject }),
    )
  await stack.api('PATCH', `/v1/accounts/${bob.address}/preferences`, { virusWarning: false })
  await stack.ended(await infect('while off'), 2)
  await stack.api('PATCH', `/v1/accounts/${bob.address}/preferences`, { virusWarning: true })
  await infect('while on')
  const [warning] = await stack.received(bob, 1)
  assert.equal(subjectOf(warning!), 'ウイルス検知のお知らせ')
})

test('S1-28 what is no choice is refused, and changes nothing', async () => {
  const stack = await sharedStack()
  const { address } = await stack.createMailbox()
  for (const body of [{}, { virusWarning: 'no' }, { virusWarning: null }, { virusWarning: false, other: 1 }])
    assert.ok([400, 422].includes((await stack.api('PATCH', `/v1/accounts/${address}/preferences`, body)).status))
  assert.deepEqual((await stack.api('GET', `/v1/accounts/${address}/preferences`)).body, { virusWarning: true })
  const unknown = await stack.api('PATCH', `/v1/accounts/nobody-${address}/preferences`, { virusWarning: false })
  assert.equal(unknown.status, 404)
})
