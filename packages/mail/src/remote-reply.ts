// What the trace keeps of a dialogue with a remote server: its last reply, and how the session was encrypted.
import Type, { type Static } from 'typebox'

/** `peer` is the subject of the certificate, `verification` by what it is known to be the server's, or why it is not. */
export const TlsSession = Type.Object({
  version: Type.String(),
  cipher: Type.String(),
  peer: Type.String(),
  verification: Type.String(),
})

/** `reply` is the server's, or our words for what failed; `server` name and address; no `tls`: nothing was encrypted. */
export const RemoteReply = Type.Object({
  reply: Type.String(),
  server: Type.Optional(Type.String()),
  tls: Type.Optional(TlsSession),
})

export type TlsSession = Static<typeof TlsSession>
export type RemoteReply = Static<typeof RemoteReply>
