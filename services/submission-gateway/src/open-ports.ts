// Binds the ports of the submission gateway to the real database and broker.

import { openLogin } from '@sekimori/login/login'
import { contentHolder } from '@sekimori/mail/content'
import type { Broker } from '@sekimori/queue/broker'
import { publishAccepted } from '@sekimori/queue/publish-accepted'
import { scan } from '@sekimori/queue/queues'
import { confirmContent, releaseContent, storeContent } from '@sekimori/store/content'
import type { Database } from '@sekimori/store/database'
import { openDirectory } from '@sekimori/store/directory'
import { mayPost } from '@sekimori/store/list-expansion'
import { openSendingState } from '@sekimori/store/sending-stop'
import type { Ports } from './ports.ts'

export async function openSubmissionPorts(database: Database, broker: Broker): Promise<Ports> {
  const holder = (queueId: string) => contentHolder(queueId, 'submission')
  return {
    login: await openLogin(database),
    directory: openDirectory(database),
    mayPost: (list, sender) => mayPost(database, list, sender),
    sendingState: openSendingState(database),
    store: (queueId, input) => storeContent(database, queueId, holder(queueId), input),
    publish: (job) =>
      publishAccepted(broker, scan, job, {
        release: (id) => releaseContent(database, id, holder(job.queueId)),
        confirm: (id) => confirmContent(database, id, holder(job.queueId)),
      }),
  }
}
