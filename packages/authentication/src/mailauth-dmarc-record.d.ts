// What we use of mailauth's policy discovery, which it does not declare.
declare module 'mailauth/lib/dmarc/get-dmarc-record.js' {
  type Lookup = (name: string) => Promise<unknown>
  export function createRecordLookup(resolver: unknown, options: { strict: boolean }): Lookup
  export function getOrgDomain(domain: string, lookup: Lookup): Promise<string>
}
