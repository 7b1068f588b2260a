// Binds the ports of the submission gateway to the real database and broker.

import type { Admission } from '@sekimori/login/admission'
import { mailFirst } from '@sekimori/login/background-check'
import { openLogin } from '@sekimori/login/login'
import { openTokenLogin } from '@sekimori/login/token-login'
import { contentHolder } from '@sekimori/mail/content'
import type { Broker } from '@sekimori/queue/broker'
import { publishAccepted } from '@sekimori/queue/publish-accepted'
import { scan } from '@sekimori/queue/queues'
import { confirmContent, releaseContent, storeContent } from '@sekimori/store/content'
import type { Database } from '@sekimori/store/database'
import { openDirectory } from '@sekimori/store/directory'
import { mayPost } from '@sekimori/store/list-expansion'
import { openSendingLimits, standardLimits } from '@sekimori/store/sending-limit'
import { openSendingState } from '@sekimori/store/sending-stop'
import type { UnderWayNotebook } from '@sekimori/store/under-way-notebook'
import type { UsageCounter } from '@sekimori/store/usage-counter'
import type { Config } from './config.ts'
import type { Ports } from './ports.ts'

export async function openSubmissionPorts(
  config: Config,
  database: Database,
  broker: Broker,
  admission: Admission,
  usage: UsageCounter,
  notebook: UnderWayNotebook,
): Promise<Ports> {
  const holder = (queueId: string) => contentHolder(queueId, 'submission')
  return {
    login: await openLogin(database),
    mailFirst,
    tokens: openTokenLogin(config, database),
    admission,
    usage,
    sendingLimits: openSendingLimits(database, standardLimits(config)),
    directory: openDirectory(database),
    mayPost: (list, sender) => mayPost(database, list, sender),
    sendingState: openSendingState(database),
    store: (queueId, input) => storeContent(database, queueId, holder(queueId), input),
    publish: async (job) => {
      await publishAccepted(broker, scan, job, {
        release: (id) => releaseContent(database, id, holder(job.queueId)),
        confirm: (id) => confirmContent(database, id, holder(job.queueId)),
      })
      notebook.note(job)
    },
  }
}
