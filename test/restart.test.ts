// What is kept from one npm start to the next, and what becomes of the rest when the launcher itself is killed. The
// tests go on with one another's state directory.
import assert from 'node:assert/strict'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { eventually } from '@sekimori/testing/eventually'
import { launch } from '@sekimori/testing/launcher'
import { composeMail, subjectOf } from '@sekimori/testing/mail-text'
import { isRunning, processesOf } from '@sekimori/testing/process-list'
import { type Stack, startStack } from '@sekimori/testing/stack'
import { isolatedSettings, newStateDirectory } from '@sekimori/testing/stack-settings'

/** Sends the demo account alice a mail of her own and waits for it. */
async function leaveMail(stack: Stack, subject: string, count: number): Promise<void> {
  const alice = demoAccount(stack)
  await stack.submit(alice, [alice.address], composeMail({ from: alice.address, to: alice.address, subject }))
  await stack.received(alice, count)
}

function demoAccount(stack: Stack) {
  return stack.endpoints.accounts.find(({ address }) => address.startsWith('alice@'))!
}

/** The keys without what the signer has seen of them in DNS by now. */
async function dkimKeys(stack: Stack): Promise<unknown> {
  const { body } = await stack.api('GET', '/v1/domains/example.test/dkim-keys')
  return body.items.map(({ selector, state, dnsRecord }: Record<string, string>) => ({ selector, state, dnsRecord }))
}

async function subjects(stack: Stack): Promise<string[]> {
  return (await stack.messages(demoAccount(stack))).map(subjectOf)
}

describe('one state directory', () => {
  const stateDir = newStateDirectory()
  let first: Pick<Stack, 'endpoints'> & { keys: unknown }
  after(() => rmSync(stateDir, { recursive: true, force: true }))

  test('the first start makes demo accounts, a list and DKIM keys; SIGTERM leaves nothing running', async () => {
    await using stack = await startStack({ stateDir })
    const addresses = stack.endpoints.accounts.map(({ address }) => address)
    assert.deepEqual(addresses, ['alice@example.test', 'bob@example.test', 'carol@example.test'])
    const { body } = await stack.api('GET', '/v1/lists/staff@example.test')
    assert.deepEqual(body.members.toSorted(), ['bob@example.test', 'carol@example.test'])
    first = { endpoints: stack.endpoints, keys: await dkimKeys(stack) }
    await leaveMail(stack, 'from the first run', 1)
    await stack.launcher.stop()
    assert.deepEqual(processesOf(stateDir), [])
    assert.equal(stack.launcher.endpoints(), undefined)
  })

  test('a damaged state directory is refused with the file’s name, and nothing in it is changed', async () => {
    const path = join(stateDir, 'secrets.json')
    const secrets = readFileSync(path)
    writeFileSync(path, secrets.subarray(0, 40))
    const launcher = launch(await isolatedSettings(stateDir))
    assert.notEqual((await launcher.exited).code, 0)
    assert.ok(launcher.output.includes(path))
    assert.match(launcher.output, /Restore it from a backup/)
    assert.deepEqual(processesOf(stateDir), [])
    assert.deepEqual(readFileSync(path), secrets.subarray(0, 40))
    writeFileSync(path, secrets) // the next start finds all as it was
  })

  test('the second start keeps accounts, passwords, keys and mail; killed hard it leaves processes', async () => {
    await using started = new AsyncDisposableStack()
    const stack = started.use(await startStack({ stateDir }))
    const { accounts, adminApiKey } = stack.endpoints
    assert.deepEqual(
      { accounts, adminApiKey },
      { accounts: first.endpoints.accounts, adminApiKey: first.endpoints.adminApiKey },
    )
    assert.deepEqual(await dkimKeys(stack), first.keys)
    assert.deepEqual(await subjects(stack), ['from the first run'])
    await leaveMail(stack, 'before the kill', 2)
    const before = Object.values(stack.launcher.endpoints()!.processes).flat()
    started.move() // killed, there is nothing to stop
    await stack.launcher.killHard()
    assert.deepEqual(
      before.filter((pid) => !isRunning(pid)),
      [],
    )
    await stack.abandon()
    first.endpoints.processes.left = before
  })

  test('the start after that clears what was left, and the mail is still there; killed alone npm start takes the rest along', async () => {
    const left = first.endpoints.processes.left!
    await using started = new AsyncDisposableStack()
    const stack = started.use(await startStack({ stateDir }))
    assert.match(stack.launcher.output, /Cleared what an earlier run left: .*postgres/)
    assert.deepEqual(left.filter(isRunning), [])
    assert.deepEqual(await subjects(stack), ['from the first run', 'before the kill'])
    await leaveMail(stack, 'after the kill', 3)
    started.move() // killed, there is nothing to stop
    stack.launcher.signal('SIGKILL')
    await eventually(() => processesOf(stateDir).length === 0)
    await stack.abandon()
  })
})
