// A private clamd on a Unix socket.
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isClamdReady } from './clamd-client.ts'
import { makePrivateDirectory, privateDirectoryPath } from './private-directory.ts'
import { launch, type Program, untilReady } from './program.ts'
import { installSignatures } from './signatures.ts'

export interface ClamdOptions {
  /** Signatures; whatever lies there is loaded. */
  databaseDir: string
  /** The configuration and, where its path is short enough, the socket. */
  dir: string
  /** Mail larger than this never comes. */
  maxMessageBytes: number
  logPath: string
}

export interface PrivateClamd extends AsyncDisposable {
  /** Value for CLAMD_ADDRESS. */
  address: string
  pid: number
}

/** sun_path holds 108 bytes with the closing zero (unix(7)). */
const MAX_SOCKET_PATH_BYTES = 107
const MIN_LIMIT_BYTES = 100 * 1024 * 1024
const SELF_CHECK_SECONDS = 60

/** clamd as a program to run; writes its files. */
export async function clamdProgram(
  options: ClamdOptions,
): Promise<{ program: Program; address: string; scratchDir: string }> {
  const scratchDir = await privateDirectoryPath(options.dir)
  await mkdir(options.dir, { recursive: true, mode: 0o700 })
  await makePrivateDirectory(scratchDir)
  await installSignatures(options.databaseDir)
  const wanted = join(options.dir, 'clamd.sock')
  const address = Buffer.byteLength(wanted) <= MAX_SOCKET_PATH_BYTES ? wanted : join(scratchDir, 'clamd.sock')
  const configPath = join(options.dir, 'clamd.conf')
  await writeFile(configPath, configuration(options, address, scratchDir))
  const program: Program = {
    name: 'clamd',
    command: 'clamd',
    args: [`--config-file=${configPath}`],
    // It tells the time of its signatures without the zone: the scanner takes it for UTC.
    env: { PATH: `${process.env.PATH}:/usr/sbin`, LC_ALL: 'C.UTF-8', TZ: 'UTC' },
    logPath: options.logPath,
    stopSignal: 'SIGTERM',
    stopTimeoutMs: 10_000,
    // The full signature set takes a while to load.
    startTimeoutMs: 180_000,
    isReady: () => isClamdReady(address),
  }
  return { program, address, scratchDir }
}

/** Starts a private clamd by itself, without supervision. Dispose it to stop it. */
export async function startClamd(options: { dir: string; maxMessageBytes?: number }): Promise<PrivateClamd> {
  const { program, address, scratchDir } = await clamdProgram({
    maxMessageBytes: MIN_LIMIT_BYTES,
    ...options,
    databaseDir: join(options.dir, 'signatures'),
    logPath: join(options.dir, 'clamd.log'),
  })
  await using started = new AsyncDisposableStack()
  started.defer(() => rm(scratchDir, { recursive: true, force: true }))
  const running = started.use(await launch(program))
  await untilReady(running)
  const resources = started.move()
  return { address, pid: running.pid, [Symbol.asyncDispose]: () => resources.disposeAsync() }
}

function configuration(options: ClamdOptions, address: string, scratchDir: string): string {
  const limitBytes = Math.max(MIN_LIMIT_BYTES, options.maxMessageBytes)
  const settings = {
    Foreground: 'yes',
    LogTime: 'yes',
    DatabaseDirectory: options.databaseDir,
    TemporaryDirectory: scratchDir,
    LocalSocket: address,
    LocalSocketMode: '600',
    FixStaleSocket: 'yes',
    SelfCheck: SELF_CHECK_SECONDS,
    // Scans go on with the old signatures while new ones are loaded.
    ConcurrentDatabaseReload: 'yes',
    // What can't be looked into must never count as clean: clamd says so as an alert, the scanner reads its name.
    AlertEncrypted: 'yes',
    AlertExceedsMax: 'yes',
    // It knows by MD5 what was clean, and two files can be made that have the same.
    DisableCache: 'yes',
    StreamMaxLength: limitBytes,
    MaxFileSize: limitBytes,
    // What comes out of archives counts here; more than twice the largest mail is a bomb.
    MaxScanSize: 2 * limitBytes,
    MaxRecursion: 20,
  }
  const lines = Object.entries(settings).map(([name, value]) => `${name} ${value}`)
  return `${lines.join('\n')}\n`
}
