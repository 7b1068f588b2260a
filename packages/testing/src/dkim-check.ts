// DKIM signatures made and verified by other people's code (dkimpy), with keys as a DNS server gives them.
import { Resolver } from 'node:dns/promises'
import { join } from 'node:path'
import { workspace } from './launcher.ts'
import { fieldsOf } from './mail-text.ts'
import { PYTHON, runClientWell } from './real-client.ts'

export interface SignatureCheck {
  isValid: boolean
  selector: string
  domain: string
  algorithm: string
}

const script = (name: string) => join(workspace, 'test', 'python', name)

/** Verifies every DKIM-Signature of the mail, top first, with the keys that the DNS server publishes. */
export async function checkSignatures(mail: Buffer, dnsServer: string): Promise<SignatureCheck[]> {
  const records = await publishedKeys(mail, dnsServer)
  const { stdout } = await runClientWell(PYTHON, [script('dkim_verify.py'), JSON.stringify(records)], mail)
  return stdout
    .toString()
    .trim()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [result, selector, domain, algorithm] = line.split(' ')
      return { isValid: result === 'pass', selector: selector!, domain: domain!, algorithm: algorithm! }
    })
}

/** The status of the mail's ARC chain (RFC 8617): pass, fail or none. */
export async function checkChain(mail: Buffer, dnsServer: string): Promise<string> {
  const records = await publishedKeys(mail, dnsServer, ['ARC-Seal', 'ARC-Message-Signature'])
  const { stdout } = await runClientWell(PYTHON, [script('arc_verify.py'), JSON.stringify(records)], mail)
  return stdout.toString().trim()
}

/** What the DNS server says at the names that the mail's signatures (in these fields) lead to. */
export async function publishedKeys(
  mail: Buffer,
  dnsServer: string,
  fields = ['DKIM-Signature'],
): Promise<Record<string, string>> {
  const resolver = new Resolver({ timeout: 2_000, tries: 2 })
  resolver.setServers([dnsServer])
  const records: Record<string, string> = {}
  for (const value of fields.flatMap((field) => fieldsOf(mail, field))) {
    const tag = (name: string) => new RegExp(`(?:^|;)\\s*${name}=\\s*([^;\\s]+)`).exec(value)?.[1] ?? ''
    const name = `${tag('s')}._domainkey.${tag('d')}`
    records[name] = (await resolver.resolveTxt(name)).map((strings) => strings.join(''))[0] ?? ''
  }
  return records
}

/** The mail with a signature of the domain on top; `key` is a PEM private key (RSA). */
export async function signMail(mail: Buffer, selector: string, domain: string, key: string): Promise<Buffer> {
  const { stdout } = await runClientWell(PYTHON, [script('dkim_sign.py'), selector, domain, key], mail)
  return stdout
}
