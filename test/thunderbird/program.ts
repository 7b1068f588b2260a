// Debian's Thunderbird without a display, on a profile of its own, with its remote control open.
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { eventually } from '@sekimori/testing/eventually'
import { ensureInstalled } from '../../deploy/local/src/system-packages.ts'
import { Marionette } from './marionette.ts'

const PROGRAM = '/usr/lib/thunderbird/thunderbird'
const OPTIONS = ['--headless', '--marionette', '--remote-allow-system-access', '--no-remote']
const START_TIMEOUT_MS = 180_000
const STOP_TIMEOUT_MS = 60_000

/** What a first start would show or look for elsewhere, switched off; the rest is as Thunderbird comes. */
const PREFERENCES = {
  'marionette.port': 0,
  'app.donation.eoy.version.viewed': 999,
  'app.normandy.enabled': false,
  'app.update.auto': false,
  'datareporting.policy.dataSubmissionPolicyBypassNotification': true,
  'extensions.getAddons.cache.enabled': false,
  'mail.inappnotifications.enabled': false,
  'mail.provider.suppress_dialog_on_startup': true,
  'mail.rights.version': 1,
  'mail.shell.checkDefaultClient': false,
  'mail.spotlight.firstRunDone': true,
  'mailnews.start_page.enabled': false,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
  'services.settings.server': 'data:,',
  'toolkit.telemetry.enabled': false,
}

/** Starts Thunderbird, installing it when it is missing, and waits until it can be driven. Disposing ends it. */
export async function startThunderbird(): Promise<{ control: Marionette } & AsyncDisposable> {
  await ensureInstalled([{ name: 'thunderbird', file: PROGRAM }], console.log)
  await using resources = new AsyncDisposableStack()
  const profile = await mkdtemp(join(tmpdir(), 'thunderbird-'))
  resources.defer(() => rm(profile, { recursive: true, maxRetries: 5 }))
  const lines = Object.entries(PREFERENCES).map(([name, value]) => `user_pref("${name}", ${JSON.stringify(value)});`)
  await writeFile(join(profile, 'user.js'), `${lines.join('\n')}\n`)
  const child = spawn(PROGRAM, [...OPTIONS, '--profile', profile], {
    env: { ...process.env, HOME: profile, LANG: 'C.UTF-8', MOZ_CRASHREPORTER_DISABLE: '1' },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  resources.defer(() => end(child))
  const control = resources.use(await Marionette.open(await portOf(child, profile)))
  const owned = resources.move()
  return { control, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

/** Where it can be driven: it writes that down. */
async function portOf(child: ChildProcessByStdio<null, null, Readable>, profile: string): Promise<number> {
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = `${said}${text}`.slice(-10_000)
  })
  const look = async () =>
    child.exitCode !== null || child.signalCode !== null
      ? 'ended'
      : Number(await readFile(join(profile, 'MarionetteActivePort'), 'utf8')) || undefined
  const found = await eventually(look, { withinMs: START_TIMEOUT_MS, everyMs: 100, what: 'Thunderbird to start' })
  if (found === 'ended') throw new Error(`Thunderbird has ended:\n${said}`)
  return found
}

async function end(child: ChildProcessByStdio<null, null, Readable>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill('SIGTERM')
  const late = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS)
  await exited
  clearTimeout(late)
}
