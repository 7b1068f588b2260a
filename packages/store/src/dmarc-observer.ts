// Counts DMARC results of mails while aggregate reports are to be sent, and nothing otherwise.
import type { DmarcObservation } from '@sekimori/mail/dmarc-observation'
import type { Log } from '@sekimori/runtime/log'
import type { Database } from './database.ts'
import { addDmarcResults } from './dmarc-result.ts'
import { openReporting } from './reporting.ts'
import { Tally } from './tally.ts'

export interface DmarcObserver extends AsyncDisposable {
  /** `observe` is only called when reports are sent. */
  note(observe: () => DmarcObservation | undefined): Promise<void>
}

/** Disposing it writes what is left. */
export function openDmarcObserver(database: Database, log: Log): DmarcObserver {
  const tally = new Tally<DmarcObservation>((counted) => addDmarcResults(database, counted), log)
  const reporting = openReporting(database)
  return {
    async note(observe) {
      if (!(await reporting()).dmarc) return
      const observation = observe()
      if (observation !== undefined) tally.add(observation)
    },
    [Symbol.asyncDispose]: () => tally[Symbol.asyncDispose](),
  }
}
