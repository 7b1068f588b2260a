// A mail server of Debian's that conflicts with others of its kind: its packages are unpacked over this machine's files in
// a root that only it sees (mount namespace and overlay), so that nothing is installed and several run side by side.
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { eventually } from './eventually.ts'
import { workspace } from './launcher.ts'
import type { Endpoint } from './line-socket.ts'
import { childrenOf } from './process-list.ts'

const run = promisify(execFile)
const CACHE = join(workspace, 'node_modules', '.cache', 'sekimori-peers')

/** Enters the new root: $1 is its directory, $2 that of the packages, $3 what is run inside. */
const ENTER = `
set -e
mkdir -p "$1/upper" "$1/work" "$1/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/root"
mount --rbind /dev "$1/root/dev"
mount -t proc proc "$1/root/proc"
for package in "$2"/*.deb; do
  dpkg-deb --fsys-tarfile "$package" | tar -x --keep-directory-symlink -C "$1/root"
done
exec chroot "$1/root" /bin/sh -c "$3"`

export interface PeerRoot extends AsyncDisposable {
  /** What the server has written: the path below which its files are. */
  files: string
}

/**
 * Runs the server of the first of these packages: `script` makes its accounts and settings, and becomes the server.
 * Needs root.
 */
export async function startInRoot(
  packageNames: [string, ...string[]],
  script: string,
  listens: Endpoint,
): Promise<PeerRoot> {
  const [packageName] = packageNames
  const packages = await downloaded(packageNames)
  const dir = mkdtempSync(join(tmpdir(), 'sekimori-peer-'))
  const args = ['--mount', '--pid', '--fork', '--kill-child', 'sh', '-c', ENTER, 'enter', dir, packages, script]
  const child = spawn('unshare', args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  const peer = {
    files: join(dir, 'upper'),
    async [Symbol.asyncDispose]() {
      const exited = child.exitCode !== null || child.signalCode !== null ? undefined : once(child, 'exit')
      // The first process of the namespace takes all others with it; unshare ends after it.
      for (const pid of childrenOf(child.pid!)) process.kill(pid, 'SIGKILL')
      child.kill('SIGKILL')
      await exited
      await eventually(() => rm(dir, { recursive: true, force: true }).then(() => true)) // its processes end just now
    },
  }
  try {
    await eventually(() => answers(listens) || child.exitCode !== null, { withinMs: 60_000 })
    if (child.exitCode !== null) throw new Error(`${packageName} ended with ${child.exitCode}`)
    return peer
  } catch (error) {
    await peer[Symbol.asyncDispose]()
    throw new Error(`${packageName} does not run: ${output}`, { cause: error })
  }
}

async function answers({ host, port }: Endpoint): Promise<boolean> {
  const socket = connect(port, host)
  try {
    await once(socket, 'data')
    return true
  } catch {
    return false // not yet
  } finally {
    socket.destroy()
  }
}

/** The directory with the packages and what this machine lacks for them. */
async function downloaded([packageName, ...more]: [string, ...string[]]): Promise<string> {
  const dir = join(CACHE, packageName)
  if (existsSync(dir) && readdirSync(dir).some((name) => name.startsWith(`${packageName}_`))) return dir
  mkdirSync(join(dir, 'partial'), { recursive: true })
  const fetch = ['-y', '--no-install-recommends', '--download-only', '-o', `Dir::Cache::archives=${dir}`]
  const download = () =>
    run('apt-get', [...fetch, 'install', packageName, ...more], { env: { ...process.env, LC_ALL: 'C' } })
  await download().catch(async () => {
    await run('apt-get', ['update'])
    await download()
  })
  return dir
}
