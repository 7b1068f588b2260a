// MTA-STS policies (RFC 8461): reading the TXT record and the policy file, and which hosts a policy allows.

export interface StsPolicy {
  /** The id of the TXT record under which it was fetched. */
  id: string
  mode: 'enforce' | 'testing' | 'none'
  maxAgeSeconds: number
  /** Host names, or `*.` and a domain for one label below it; lower case. */
  mx: string[]
}

const MAX_AGE_MOST_SECONDS = 31_557_600
const RECORD = /^v=STSv1[ \t]*;/
const ID = /^[ \t]*id[ \t]*=[ \t]*([0-9A-Za-z]{1,32})[ \t]*$/
const HOST = /^(\*\.)?[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*$/
const MX_MOST = 100

/** The id of the policy that TXT records announce; undefined when they announce none (section 3.1). */
export function announcedId(records: string[][]): string | undefined {
  const texts = records.map((strings) => strings.join('')).filter((text) => RECORD.test(text))
  if (texts.length !== 1) return undefined
  return texts[0]!
    .split(';')
    .map((field) => ID.exec(field)?.[1])
    .find((id) => id !== undefined)
}

/** Reads a policy file (section 3.2). @throws Error that says what is wrong with it. */
export function readPolicy(id: string, text: string): StsPolicy {
  const fields = text
    .split(/\r?\n/)
    .filter((line) => line.trim() !== '')
    .map((line) => /^([A-Za-z0-9_.-]{1,32}):[ \t]*(.*?)[ \t]*$/.exec(line) ?? wrong(`line "${line.slice(0, 60)}"`))
    .map(([, name, value]) => ({ name: name!, value: value! }))
  const first = (name: string) => fields.find((field) => field.name === name)?.value
  if (first('version') !== 'STSv1') wrong('version')
  const mode = first('mode')
  if (mode !== 'enforce' && mode !== 'testing' && mode !== 'none') return wrong('mode')
  const maxAgeSeconds = /^\d{1,10}$/.test(first('max_age') ?? '') ? Number(first('max_age')) : wrong('max_age')
  const mx = fields.filter(({ name }) => name === 'mx').map(({ value }) => value.toLowerCase())
  if (mx.length > MX_MOST || !mx.every((host) => HOST.test(host))) wrong('mx')
  if (mode !== 'none' && mx.length === 0) wrong('mx')
  return { id, mode, maxAgeSeconds: Math.min(maxAgeSeconds, MAX_AGE_MOST_SECONDS), mx }
}

function wrong(what: string): never {
  throw new Error(`the policy has no usable ${what}`)
}

/** Whether the policy allows this host; `*.` stands for one label (section 4.1). */
export function isPolicyHost({ mx }: StsPolicy, host: string): boolean {
  const parent = host.slice(host.indexOf('.') + 1)
  return mx.includes(host) || (host.includes('.') && mx.includes(`*.${parent}`))
}
