// The ports of the private servers: chosen once and remembered, so that connection strings stay as they are.
import { readFile } from 'node:fs/promises'
import { writeFileAtomically } from './atomic-file.ts'
import { bindFault, findFreePort } from './free-port.ts'

const NAMES = ['postgres', 'rabbitmq', 'rabbitmqDistribution', 'epmd'] as const

export type ServerPorts = Record<(typeof NAMES)[number], number>

/** The remembered ports; one that somebody else uses by now is chosen anew. */
export async function rememberedPorts(path: string): Promise<ServerPorts> {
  const kept = await readPorts(path)
  const ports: Partial<ServerPorts> = {}
  for (const name of NAMES) {
    const port = kept[name]
    const isUsable = port !== undefined && (await bindFault('127.0.0.1', port)) === undefined
    ports[name] = isUsable ? port : await findFreePort(new Set(Object.values(ports)))
  }
  await writeFileAtomically(path, `${JSON.stringify(ports)}\n`)
  return ports as ServerPorts
}

async function readPorts(path: string): Promise<Partial<ServerPorts>> {
  try {
    const content = JSON.parse(await readFile(path, 'utf8'))
    return Object.fromEntries(
      NAMES.filter((name) => Number.isInteger(content?.[name])).map((name) => [name, content[name]]),
    )
  } catch (error) {
    // Nothing but ports is lost with it.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' || error instanceof SyntaxError) return {}
    throw error
  }
}
