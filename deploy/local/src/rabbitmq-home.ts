// RabbitMQ as installed by the system, seen through a directory that holds only the applications that a plain broker
// needs: the broker looks for each of its thousand modules in every application's directory, so this halves its start.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { mkdir, realpath, rm, symlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/** Debian's path, free of the wrapper in /usr/sbin that changes the account. */
export const RABBITMQ_SERVER = '/usr/lib/rabbitmq/bin/rabbitmq-server'

/** Makes `directory` anew with links to the installed broker. */
export async function linkRabbitmqHome(directory: string): Promise<void> {
  const installed = dirname(dirname(await realpath(RABBITMQ_SERVER)))
  const plugins = join(installed, 'plugins')
  const needed = neededApplications(plugins)
  await rm(directory, { recursive: true, force: true })
  await mkdir(join(directory, 'plugins'), { recursive: true })
  await Promise.all([
    ...['sbin', 'escript'].map((name) => symlink(join(installed, name), join(directory, name))),
    ...needed.map((name) => symlink(join(plugins, name), join(directory, 'plugins', name))),
  ])
}

/** The directories (`ra-2.2.0`) of rabbit and of all that it names as its applications, directly or not. */
function neededApplications(plugins: string): string[] {
  const directories = new Map(readdirSync(plugins).map((name) => [name.replace(/-[^-]*$/, ''), name]))
  const needed = new Set<string>()
  const waiting = ['rabbit']
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    const directory = directories.get(name)
    // Erlang's own applications are not among the broker's: they are found without our help.
    if (directory === undefined || needed.has(directory)) continue
    needed.add(directory)
    waiting.push(...applicationsOf(join(plugins, directory, 'ebin', `${name}.app`)))
  }
  return needed.size > 1 ? [...needed] : [...directories.values()]
}

function applicationsOf(path: string): string[] {
  if (!existsSync(path)) return []
  const list = /\{\s*applications\s*,\s*\[([^\]]*)\]/.exec(readFileSync(path, 'utf8'))?.[1] ?? ''
  return list.split(',').map((name) => name.trim())
}
