// A thread that checks passwords one after the other, when the processors have nothing better to do.
import { setPriority } from 'node:os'
import { parentPort } from 'node:worker_threads'
import { isPasswordNow } from '@sekimori/store/password'

const LOWEST = 19

// Linux takes it for this thread alone; elsewhere it would be for the whole process.
if (process.platform === 'linux') setPriority(LOWEST)

parentPort!.on('message', ({ encoded, password }: { encoded: string; password: string }) => {
  parentPort!.postMessage(isPasswordNow(encoded, password))
})
