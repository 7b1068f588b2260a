// Virus signatures of the private clamd: the small set that comes with us, and what operators or freshclam add.
import { existsSync, watch } from 'node:fs'
import { copyFile, mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { askClamd } from './clamd-client.ts'

/** The EICAR test file's signature; kept in hexadecimal, so that no scanner takes the repository for infected. */
const OURS = join(import.meta.dirname, '..', '..', 'clamav')
const SIGNATURE_FILE =
  /\.(cvd|cld|cud|hdb|hsb|hdu|hsu|mdb|msb|mdu|msu|ndb|ndu|ldb|ldu|idb|fp|sfp|gdb|pdb|wdb|cbc|ftm|cdb|crb|cfg|ign2?|yara?|pwdb|db|imp)$/
const SETTLE_MS = 500

/** Puts our own signatures into the directory. */
export async function installSignatures(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true })
  const names = (await readdir(OURS)).filter((name) => SIGNATURE_FILE.test(name))
  await Promise.all(names.map((name) => copyFile(join(OURS, name), join(directory, name))))
}

/** Whether the official signatures are there, as freshclam fetches them. */
export function hasOfficialSignatures(directory: string): boolean {
  return ['daily.cld', 'daily.cvd'].some((name) => existsSync(join(directory, name)))
}

/** Lets clamd reload whenever a signature file comes, changes or goes. `onFault` hears of a reload that failed. */
export function reloadOnChange(directory: string, address: string, onFault: (error: Error) => void): Disposable {
  let timer: NodeJS.Timeout | undefined
  const watcher = watch(directory, (_event, name) => {
    if (name === null || !SIGNATURE_FILE.test(name)) return
    clearTimeout(timer)
    timer = setTimeout(() => askClamd(address, 'RELOAD').catch(onFault), SETTLE_MS)
  })
  watcher.on('error', onFault)
  return {
    [Symbol.dispose]() {
      clearTimeout(timer)
      watcher.close()
    },
  }
}
