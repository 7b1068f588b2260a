// What this service uses of mx-connect 2, which brings no types of its own.
declare module 'mx-connect' {
  import type { X509Certificate } from 'node:crypto'
  import type { Socket } from 'node:net'

  interface Exchanger {
    exchange: string
    A?: string[]
    AAAA?: string[]
  }

  export interface Options {
    target: string
    port?: number
    /** For each address, in milliseconds. */
    maxConnectTime?: number
    /** Skips the MX lookup. */
    mx?: (string | Exchanger)[]
    /** Addresses to skip; when none is left, `mxLastError` is thrown. */
    ignoreMXHosts?: string[]
    mxLastError?: Error
    dnsOptions?: {
      blockLocalAddresses?: boolean
      resolveRecords?: (name: string, type: string) => Promise<unknown[]>
    }
    /** Called before each address; an error ends the attempt. */
    connectHook?: (delivery: unknown, options: unknown, done: (error?: unknown) => void) => void
  }

  export interface Connection {
    socket: Socket
    /** Name of the server. */
    hostname: string
    /** The address connected to. */
    host: string
  }

  interface MxConnect {
    (options: Options): Promise<Connection>
    /** RFC 7672: `issuers` is the chain above the certificate, for DANE-TA. */
    dane: {
      verifyCertAgainstTlsa(
        certificate: X509Certificate,
        records: { usage: number; selector: number; matchingType: number; data: Buffer }[],
        issuers: X509Certificate[],
      ): { valid: boolean }
    }
  }

  const mxConnect: MxConnect
  export default mxConnect
}
