// What adapters use of the process that they run in, for tests that open them without a process of their own.
import { Dependencies } from '@sekimori/runtime/dependency'
import { createLog } from '@sekimori/runtime/log'
import type { Service } from '@sekimori/runtime/service'

/** A service that has no health port, logs nothing and is never told to stop. */
export function serviceStandIn(name = 'test'): Service {
  const standIn = {
    name,
    log: createLog(name, process.env.TEST_LOG_LEVEL ?? 'silent'),
    stopping: new AbortController().signal,
    dependencies: new Dependencies(),
  }
  return standIn as unknown as Service
}
