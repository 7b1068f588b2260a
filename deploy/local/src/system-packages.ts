// Debian packages that are needed beside npm's: installed when we are root, named exactly when we are not.
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { StartFailure } from './start-failure.ts'

const run = promisify(execFile)

export interface SystemPackage {
  name: string
  /** A file that tells that it is there, however it came; without one dpkg is asked. */
  file?: string
}

export const serverPackages: SystemPackage[] = [
  { name: 'rabbitmq-server', file: '/usr/lib/rabbitmq/bin/rabbitmq-server' },
  { name: 'clamav-daemon', file: '/usr/sbin/clamd' },
  { name: 'clamav-freshclam', file: '/usr/bin/freshclam' },
]

// Policy-rc.d keeps the packages' own daemons from being started. The lock lets two copies of us install in turn, so
// that neither takes the policy away under the other.
const INSTALL_SCRIPT = `
exec 9> /var/lock/sekimori-install && flock 9 || exit 1
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  trap 'rm -f "$policy"' EXIT
  trap 'exit 130' INT TERM HUP
  printf '#!/bin/sh\\nexit 101\\n' > "$policy" && chmod 755 "$policy" || exit 1
fi
apt-get -o DPkg::Lock::Timeout=300 update
apt-get -o DPkg::Lock::Timeout=300 install -y --no-install-recommends "$@"
`

/**
 * Sees to it that the packages are installed; `say` hears of the progress.
 * @throws StartFailure that names the command to run.
 */
export async function ensureInstalled(packages: SystemPackage[], say: (line: string) => void): Promise<void> {
  const missing = await missingOf(packages)
  if (missing.length === 0) return
  const remedy = installCommand(missing)
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get'))
    throw new StartFailure(
      `These programs are missing: ${missing.join(', ')}. Install them and start again:\n    ${remedy}`,
      `次のプログラムがありません: ${missing.join(', ')}。上のコマンドでインストールしてから、もう一度起動してください。`,
    )
  say(`Installing ${missing.join(', ')} …`)
  const { status, output } = await install(missing, say)
  if (status === 0 && (await missingOf(packages)).length === 0) return
  throw new StartFailure(
    `${missing.join(', ')} could not be installed:\n${output.slice(-12).join('\n')}\nSee to it that the package mirror can be reached, or install by hand:\n    ${remedy}`,
    `${missing.join(', ')} をインストールできませんでした。パッケージの配布元への接続を確認するか、上のコマンドで手動でインストールしてください。`,
  )
}

/** The command for somebody who has to do it by hand. */
export function installCommand(names: string[], isRoot = process.getuid?.() === 0): string {
  const sudo = isRoot ? '' : 'sudo '
  return `${sudo}apt-get update && ${sudo}apt-get install -y --no-install-recommends ${names.join(' ')}`
}

/** The names of those that are not there. */
export async function missingOf(packages: SystemPackage[]): Promise<string[]> {
  const present = await Promise.all(packages.map(isPresent))
  return packages.filter((_, index) => !present[index]).map(({ name }) => name)
}

async function isPresent({ name, file }: SystemPackage): Promise<boolean> {
  if (file !== undefined) return existsSync(file)
  try {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg's own placeholder.
    const { stdout } = await run('dpkg-query', ['-W', '-f=${db:Status-Status}', name])
    return stdout === 'installed'
  } catch {
    // dpkg-query fails for a package that it has never seen, and where there is no dpkg.
    return false
  }
}

async function install(names: string[], say: (line: string) => void): Promise<{ status: number; output: string[] }> {
  const child = spawn('sh', ['-c', INSTALL_SCRIPT, 'install', ...names], {
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', NEEDRESTART_MODE: 'l', LC_ALL: 'C.UTF-8' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const output: string[] = []
  const take = (line: string) => {
    output.push(line)
    if (/^(Get:|Unpacking|Setting up)/.test(line)) say(`  ${line.slice(0, 100)}`)
  }
  createInterface(child.stdout).on('line', take)
  createInterface(child.stderr).on('line', take)
  const [status] = await once(child, 'close')
  return { status: status ?? 1, output }
}
