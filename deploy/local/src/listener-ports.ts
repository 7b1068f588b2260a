// Are the ports that the services will listen on free? Looked at before anything is started.
import { bindFault } from './free-port.ts'
import { StartFailure } from './start-failure.ts'

export interface ListenerPort {
  /** The setting's name. */
  setting: string
  port: number
}

/** @throws StartFailure that names every setting whose port can't be used, and what to do. */
export async function checkPorts(host: string, ports: ListenerPort[]): Promise<void> {
  const faults = doubles(ports)
  for (const { setting, port } of ports) {
    const code = await bindFault(host, port)
    if (code !== undefined) faults.push(describe(host, setting, port, code))
  }
  if (faults.length === 0) return
  const example = `${faults.map(({ setting }) => `${setting}=…`).join(' ')} npm start`
  throw new StartFailure(
    [
      ...faults.map(({ english }) => english),
      `Stop the program that listens there (ss -ltnp shows it), or choose other ports: ${example}`,
    ].join('\n'),
    [
      ...faults.map(({ japanese }) => japanese),
      `使用中のプログラムを止めるか (ss -ltnp で確認)、別のポートを指定してください: ${example}`,
    ].join('\n'),
  )
}

interface Fault {
  setting: string
  english: string
  japanese: string
}

function doubles(ports: ListenerPort[]): Fault[] {
  return ports.flatMap(({ setting, port }, index) => {
    const other = ports.slice(0, index).find((earlier) => earlier.port === port)
    if (other === undefined) return []
    return {
      setting,
      english: `${other.setting} and ${setting} are both ${port}: give each a port of its own.`,
      japanese: `${other.setting} と ${setting} が同じポート ${port} です。別々のポートを指定してください。`,
    }
  })
}

function describe(host: string, setting: string, port: number, code: string): Fault {
  switch (code) {
    case 'EADDRINUSE':
      return {
        setting,
        english: `Port ${port} on ${host} (${setting}) is in use.`,
        japanese: `${host} のポート ${port} (${setting}) は使用中です。`,
      }
    case 'EACCES':
      return {
        setting,
        english: `Port ${port} (${setting}) may be used by root only: run npm start as root, or choose one above 1023.`,
        japanese: `ポート ${port} (${setting}) は root だけが使えます。root で実行するか、1024 以上を指定してください。`,
      }
    default:
      return {
        setting,
        english: `Port ${port} on ${host} (${setting}) can't be used (${code}). Is BIND_ADDRESS an address of this machine?`,
        japanese: `${host} のポート ${port} (${setting}) を使えません (${code})。BIND_ADDRESS はこのマシンのアドレスですか。`,
      }
  }
}
