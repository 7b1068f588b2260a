// Renders docs/settings.md from the schemas of the services, so that the page can't differ from the programs.
import { readdirSync, writeFileSync } from 'node:fs'
import type { TObject, TSchema } from 'typebox'

const SERVICES = new URL('../services/', import.meta.url)
export const PAGE = new URL('../docs/settings.md', import.meta.url)

interface Setting extends TSchema {
  default?: unknown
  description?: string
  secret?: boolean
}

interface Entry {
  setting: Setting
  services: string[]
  isRequired: boolean
}

const INTRODUCTION = [
  '# Settings',
  '',
  'Every setting is an environment variable. A secret may also be given as the path of a file, in the variable with',
  '`_FILE` at its end. All faults are reported together at start, and the process ends with status 78. Traces are exported',
  'by OTLP when the standard variables (`OTEL_EXPORTER_OTLP_ENDPOINT`, …) name an endpoint.',
  '',
  'This page is made from the programs: `node deploy/local/run.mjs test/settings-document.ts` writes it, and a test compares.',
  '',
]

/** The page as it should be now. */
export async function renderSettings(): Promise<string> {
  const users = new Map<string, Entry>()
  const names = readdirSync(SERVICES).toSorted()
  for (const service of names) {
    const { schema } = (await import(new URL(`${service}/src/config.ts`, SERVICES).href)) as { schema: TObject }
    for (const [name, setting] of Object.entries(schema.properties)) {
      const entry: Entry = users.get(name) ?? {
        setting: setting as Setting,
        services: [],
        isRequired: schema.required?.includes(name) === true && !('default' in setting),
      }
      entry.services.push(service)
      users.set(name, entry)
    }
  }
  const rows = [...users]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, entry]) => row(name, entry, names.length))
  return [...INTRODUCTION, '| setting | default | meaning | read by |', '| --- | --- | --- | --- |', ...rows, ''].join(
    '\n',
  )
}

function row(
  name: string,
  entry: { setting: Setting; services: string[]; isRequired: boolean },
  count: number,
): string {
  const { setting, services, isRequired } = entry
  const shown = setting.default === undefined || setting.default === '' ? 'none' : `\`${setting.default}\``
  const standard = name === 'MAIL_HOSTNAME' ? "the machine's name" : isRequired ? '**required**' : shown
  const meaning = `${setting.description ?? ''}${setting.secret ? ' (secret)' : ''}`.replaceAll('|', '\\|')
  const readers = services.length === count ? 'every service' : services.join(', ')
  return `| \`${name}\` | ${standard} | ${meaning} | ${readers} |`
}

if (process.argv[1] === import.meta.filename) writeFileSync(PAGE, await renderSettings())
