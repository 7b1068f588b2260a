// The ports of local delivery on the real database.

import { srsKey } from '@sekimori/config/srs-settings'
import { contentOpener, passContent, readHead, releaseContent } from '@sekimori/store/content'
import type { Database } from '@sekimori/store/database'
import { openDirectory } from '@sekimori/store/directory'
import { haveAllEnded } from '@sekimori/store/ended-mail'
import { localOwner, mayPost, memberBatch, outsideMembers } from '@sekimori/store/list-expansion'
import { openMaildropDelivery } from '@sekimori/store/maildrop-delivery'
import { fullMaildrops } from '@sekimori/store/maildrop-usage'
import { openSenderRewriting } from '@sekimori/store/sender-rewriting'
import { endsAtStage, insertTrace } from '@sekimori/store/trace'
import { deliverWarning } from '@sekimori/store/warning-delivery'
import type { Config } from './config.ts'
import type { Judge } from './open-judge.ts'
import type { Ports } from './ports.ts'

/** Members of a list that are delivered to at a time. */
const MEMBERS = 500

export function openPorts(config: Config, database: Database, { judged }: Pick<Judge, 'judged'>): Ports {
  const open = contentOpener(database)
  const senders = openSenderRewriting(database, srsKey(config))
  return {
    lookup: openDirectory(database, config.MAIL_HOSTNAME).lookup,
    members: (listAddress, afterId) => memberBatch(database, listAddress, afterId, MEMBERS),
    outsideMembers: (listAddress) => outsideMembers(database, listAddress),
    mayPost: (list, sender) => mayPost(database, list, sender),
    localOwner: (listAddress) => localOwner(database, listAddress),
    full: (members, sizeBytes) => fullMaildrops(database, members, sizeBytes),
    maildropEnds: (queueId) => endsAtStage(database, queueId, 'maildrop'),
    judged,
    deliver: openMaildropDelivery(database),
    deliverWarning: (queueId, copy) => deliverWarning(database, queueId, copy),
    trace: (entries) => insertTrace(database, entries),
    release: (contentId, holder) => releaseContent(database, contentId, holder),
    passContent: (contentId, from, to) => passContent(database, contentId, from, to),
    haveAllEnded: (job) => haveAllEnded(database, job),
    head: (job) => readHead(open(job.content)),
    content: (job) => open(job.content),
    rewriteSender: senders.rewrite,
    async reverseSender(address) {
      const reversal = await senders.reverse(address)
      return reversal.kind === 'reversed' ? reversal.address : undefined
    },
  }
}
