// `npm run fuzz`: the nightly form of the fuzzers, a million commands to each of SMTP and POP3. FUZZ_SEED repeats a run,
// FUZZ_COMMANDS makes it longer or shorter. Needs no servers.
import { spawn } from 'node:child_process'
import { once } from 'node:events'

const commands = Number(process.env.FUZZ_COMMANDS ?? 1_000_000)
const seed = Number(process.env.FUZZ_SEED ?? Date.now() % 1_000_000)
const fuzzers = { pop3: commands, mx: commands / 2, submission: commands / 2 }

console.log(`FUZZ_SEED=${seed} FUZZ_COMMANDS=${commands}`)
for (const [edge, share] of Object.entries(fuzzers)) {
  const args = ['--test', '--test-reporter=spec', `services/${edge}-gateway/src/fuzz.test.ts`]
  const env = { ...process.env, FUZZ_SEED: String(seed), FUZZ_COMMANDS: String(Math.ceil(share)) }
  const [code] = await once(spawn(process.execPath, args, { env, stdio: 'inherit' }), 'exit')
  if (code !== 0) process.exitCode = 1
}
