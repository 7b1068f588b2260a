// The ports of the POP3 server on the database: logins, leases and maildrops.
import { randomUUID } from 'node:crypto'
import type { Login as CheckLogin, LoginOutcome } from '@sekimori/login/login'
import type { TokenLogin } from '@sekimori/login/token-login'
import { DependencyAway } from '@sekimori/runtime/dependency'
import type { Database } from '@sekimori/store/database'
import { acquireLease, type Lease, releaseLease } from '@sekimori/store/maildrop-lease'
import { listMaildrop, readMessage, removeMessages } from '@sekimori/store/maildrop-reading'
import type { SessionLog } from './conversation.ts'
import { LEASE_LIFE_MS, type LeaseKeeper } from './lease-keeper.ts'
import type { Account, Login, Maildrop, Opening, Ports } from './ports.ts'

/** Builds the ports; `checkLogin` knows the passwords, `leases` keeps the locks of this process. */
export function storePorts(
  database: Database,
  checkLogin: CheckLogin,
  leases: LeaseKeeper,
  log: SessionLog,
  tokens?: TokenLogin,
): Omit<Ports, 'admission'> {
  return {
    ...(tokens && {
      tokens: { login: (bearer) => decided(tokens.check(bearer)), refusal: (mechanism) => tokens.refusal(mechanism) },
    }),
    login: (address, password, clientAddress) =>
      decided(checkLogin({ address, password, clientAddress, service: 'pop3' })),
    openMaildrop: (account, isUtf8) => openMaildrop(database, leases, log, account, isUtf8),
  }
}

async function decided(check: Promise<LoginOutcome>): Promise<Login> {
  try {
    const outcome = await check
    return outcome.kind === 'busy' ? { kind: 'unavailable' } : outcome
  } catch (error) {
    if (error instanceof DependencyAway) return { kind: 'unavailable' }
    throw error
  }
}

async function openMaildrop(
  database: Database,
  leases: LeaseKeeper,
  log: SessionLog,
  account: Account,
  isUtf8: boolean,
): Promise<Opening> {
  const lease: Lease = { accountId: account.id, holder: randomUUID() }
  if (!(await acquireLease(database, lease, LEASE_LIFE_MS))) return { kind: 'in-use' }
  const lost = leases.keep(lease)
  const giveBack = async () => {
    leases.letGo(lease)
    try {
      await releaseLease(database, lease)
    } catch (error) {
      log.error({ err: error }, 'the lock on a maildrop could not be given back and will expire')
    }
  }
  try {
    return { kind: 'open', maildrop: await maildropOf(database, lease, lost, giveBack, isUtf8) }
  } catch (error) {
    await giveBack()
    throw error
  }
}

async function maildropOf(
  database: Database,
  lease: Lease,
  lost: AbortSignal,
  giveBack: () => Promise<void>,
  isUtf8: boolean,
): Promise<Maildrop> {
  return {
    messages: await listMaildrop(database, lease.accountId, isUtf8),
    lost,
    read: (uid) => readMessage(database, lease.accountId, uid, isUtf8),
    remove: async (uids) => {
      const removed = await removeMessages(database, lease, uids)
      return { kind: removed === uids.length ? 'removed' : 'lost' }
    },
    [Symbol.asyncDispose]: giveBack,
  }
}
