// Makes sure that the workspace's dependencies are installed, Node 26 among them. Plain JavaScript: it runs under the
// machine's own Node, with nothing installed yet.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

export const workspace = resolve(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '..', '..')

const OLDEST_NODE = 20
const COMMAND = ['npx', '--yes', 'pnpm@12', 'install', '--frozen-lockfile']
const modules = join(workspace, 'node_modules')
const stamp = join(modules, '.sekimori-installed')
// Outside of node_modules, which pnpm may make anew.
const lock = join(tmpdir(), `sekimori-install-${createHash('sha256').update(workspace).digest('hex').slice(0, 12)}`)
const LOCK_TIMEOUT_MS = 10 * 60 * 1000

/** Installs when the lockfile has changed since the last time; returns the path of Node 26. Ends the process on failure. */
export function ensureInstalled() {
  requirePlatform()
  const wanted = fingerprint()
  if (installed() !== wanted) withLock(() => installed() === wanted || install(wanted))
  return nodePath()
}

function install(wanted) {
  ensureLibrary()
  console.log(`Installing dependencies / 依存パッケージをインストールしています: ${COMMAND.join(' ')}`)
  // Without a terminal to ask, pnpm must not stop at a question.
  const status = run(COMMAND, { CI: 'true' })
  if (status !== 0)
    fail(
      `The dependencies could not be installed (exit status ${status}).\n` +
        `See to it that the npm registry can be reached and the disk has room, then try: ${COMMAND.join(' ')}`,
      '依存パッケージをインストールできませんでした。npm レジストリへの接続と空き容量を確認してください。',
    )
  const { status: runs, stderr } = spawnSync(nodePath(), ['--version'], { encoding: 'utf8' })
  if (runs !== 0) fail(`The installed Node does not run: ${stderr}`, 'インストールした Node を実行できません。')
  writeFileSync(stamp, wanted)
}

/** Node 26 needs libatomic, which a small Debian image lacks; packages' install scripts run with it already. */
function ensureLibrary() {
  const { status, stdout } = spawnSync('/sbin/ldconfig', ['-p'], { encoding: 'utf8' })
  if (status !== 0 || stdout.includes('libatomic.so.1')) return
  console.log('Installing libatomic1 …')
  const apt = ['apt-get', '-o', 'DPkg::Lock::Timeout=300']
  const isInstalled =
    process.getuid() === 0 &&
    ['update', 'install -y --no-install-recommends libatomic1'].every(
      (words) => run([...apt, ...words.split(' ')], { DEBIAN_FRONTEND: 'noninteractive' }) === 0,
    )
  if (isInstalled) return
  fail(
    'Node 26 needs the library libatomic. Install it and start again:\n' +
      '    sudo apt-get update && sudo apt-get install -y --no-install-recommends libatomic1',
    'Node 26 にはライブラリ libatomic が必要です。上のコマンドでインストールしてから、もう一度起動してください。',
  )
}

function run([command, ...args], environment) {
  return spawnSync(command, args, {
    cwd: workspace,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, ...environment },
  }).status
}

/** Two copies started at the same moment install one after the other. */
function withLock(work) {
  const deadline = Date.now() + LOCK_TIMEOUT_MS
  while (!takeLock()) {
    if (Date.now() > deadline)
      fail(
        `Another installation has not ended within ten minutes. If none is running, remove ${lock}.`,
        `別のインストールが終わりません。動いていなければ ${lock} を削除してください。`,
      )
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500)
  }
  process.once('exit', releaseLock)
  work()
  releaseLock()
}

function takeLock() {
  try {
    mkdirSync(lock)
    writeFileSync(join(lock, 'pid'), String(process.pid))
    return true
  } catch (error) {
    if (error.code !== 'EEXIST')
      fail(
        `${lock} can't be made (${error.code}): the dependencies can't be installed.`,
        `${lock} を作成できないため、インストールできません。`,
      )
    if (isAbandoned()) releaseLock()
    return false
  }
}

function isAbandoned() {
  const holder = readText(join(lock, 'pid'))
  // Just made: its holder has not written its pid yet.
  if (!holder) return false
  return !existsSync(`/proc/${holder}`)
}

function releaseLock() {
  rmSync(lock, { recursive: true, force: true })
}

function installed() {
  return existsSync(join(modules, '.modules.yaml')) && existsSync(nodePath()) ? readText(stamp) : undefined
}

function fingerprint() {
  const hash = createHash('sha256')
  for (const name of ['pnpm-lock.yaml', 'pnpm-workspace.yaml']) hash.update(readFileSync(join(workspace, name)))
  return `${hash.digest('hex')} ${process.arch}`
}

function nodePath() {
  return join(modules, `node-linux-${process.arch}`, 'bin', 'node')
}

function requirePlatform() {
  const isSupported = process.platform === 'linux' && ['x64', 'arm64'].includes(process.arch)
  if (!isSupported) fail('This needs Linux on x86-64 or arm64.', 'x86-64 または arm64 の Linux が必要です。')
  if (Number(process.versions.node.split('.')[0]) < OLDEST_NODE)
    fail(`This needs Node ${OLDEST_NODE} or newer to start.`, `Node ${OLDEST_NODE} 以降が必要です。`)
}

function readText(path) {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (error.code === 'ENOENT') return undefined
    throw error
  }
}

function fail(english, japanese) {
  console.error(`\n${english}\n${japanese}`)
  process.exit(1)
}
