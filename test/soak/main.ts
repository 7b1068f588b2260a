// npm run soak: sends many mails while remote servers fail and our services are killed at random, and prints the account.
// Ends with status 1 when the sum of ends is not the sum of accepted recipients, or anything else does not come out even.
import { parseArgs } from 'node:util'
import { startStack } from '@sekimori/testing/stack'
import { unlimitedSending } from '@sekimori/testing/stack-settings'
import { stopOnSignal } from '@sekimori/testing/stop-on-signal'
import { faultsOf, render } from './report.ts'
import { soak } from './soak.ts'

const { values } = parseArgs({
  options: {
    mails: { type: 'string', default: '20000' },
    seed: { type: 'string', default: '1' },
    minutes: { type: 'string', default: '30' },
  },
})

const startedAt = performance.now()
await using stack = await startStack({ settings: unlimitedSending })
stopOnSignal(stack)
const options = { mails: Number(values.mails), seed: Number(values.seed), withinMs: Number(values.minutes) * 60_000 }
const report = await soak(stack, options)
const seconds = Math.round((performance.now() - startedAt) / 1000)
process.stdout.write(`${render(report)}\nseed ${options.seed}, ${seconds} s\n`)
if (faultsOf(report).length > 0) process.exitCode = 1
