// What the POP3 server needs from the outside world; main.ts wires it to Postgres, tests pass object literals.
import type { Bearer, BearerMechanism } from '@sekimori/login/bearer'

/** An account whose owner has logged in. */
export interface Account {
  id: number
  address: string
}

export type Login =
  | { kind: 'ok'; account: Account }
  /** Unknown account or wrong password: the client can't tell which, not by the time it takes either. */
  | { kind: 'refused' }
  /** Too many failures from the client's network: nothing was looked at. */
  | { kind: 'slowed' }
  /** The credentials could not be checked now. */
  | { kind: 'unavailable' }

/** A message of an open maildrop. Its message-number is its place in the list, counted from 1. */
export interface MaildropMessage {
  /** Never changes, never used again for another message; in decimal it is the unique-id that UIDL shows. */
  uid: number
  /** Exactly the octets that RETR sends, before dot-stuffing. */
  sizeBytes: number
}

export type Removal =
  | { kind: 'removed' }
  /** The lock was lost before all of them were removed. */
  | { kind: 'lost' }

/** A maildrop that this session, and no other on any replica, has open. Disposing it gives the lock back and never throws. */
export interface Maildrop extends AsyncDisposable {
  messages: readonly MaildropMessage[]
  /** Aborts when the exclusive lock was lost; the session then ends without removing anything. */
  lost: AbortSignal
  /** The message as this client may see it. */
  read(uid: number): AsyncIterable<Buffer>
  remove(uids: number[]): Promise<Removal>
}

/** Logins by bearer token. */
export interface Tokens {
  login(bearer: Bearer): Promise<Login>
  /** What to tell a client whose token is refused. */
  refusal(mechanism: BearerMechanism): object
}

export type Opening = { kind: 'open'; maildrop: Maildrop } | { kind: 'in-use' }

/** Who may open a session, by where it comes from. */
export interface Admission {
  /** Takes the session in; or says, for the client, why not. */
  admit(sessionId: string, clientAddress: string): string | undefined
  /** The session is over, whether it was taken in or not. */
  leave(sessionId: string): void
}

/** Throwing means "could not decide": the client gets `-ERR [SYS/TEMP]`. */
export interface Ports {
  admission: Admission
  login(address: string, password: string, clientAddress: string): Promise<Login>
  /** Absent while no issuer of tokens is set. */
  tokens?: Tokens
  /** `isUtf8`: the client takes headers in UTF-8; any other one gets and is told the size of a surrogate (RFC 6856). */
  openMaildrop(account: Account, isUtf8: boolean): Promise<Opening>
}
