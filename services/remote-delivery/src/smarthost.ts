// SMARTHOST: the server that all outbound mail is handed to instead of the recipients' own.

export interface Smarthost {
  host: string
  port: number
  /** opportunistic: as towards any MX; required (STARTTLS) and implicit: with a certificate that fits the name. */
  tls: 'opportunistic' | 'required' | 'implicit'
  login?: { user: string; password: string }
}

const DEFAULT_PORTS = { smtp: 25, smtps: 465 }

/**
 * Reads `[smtp://|smtps://][user:password@]host[:port]`; undefined when it is none. Reserved characters in user and
 * password are percent-encoded. Port 465 means TLS from the start; a login is only sent over checked TLS.
 */
export function parseSmarthost(text: string): Smarthost | undefined {
  const url = URL.parse(/^[a-z]+:\/\//.test(text) ? text : `smtp://${text}`)
  if (url === null || !isPlain(url)) return undefined
  const scheme = url.protocol.slice(0, -1) as keyof typeof DEFAULT_PORTS
  const port = url.port === '' ? DEFAULT_PORTS[scheme] : Number(url.port)
  const isImplicit = scheme === 'smtps' || port === 465
  const login = readLogin(url)
  if (login === 'malformed') return undefined
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port,
    tls: isImplicit ? 'implicit' : login === undefined ? 'opportunistic' : 'required',
    ...(login === undefined ? {} : { login }),
  }
}

function isPlain(url: URL): boolean {
  const isOurs = url.protocol === 'smtp:' || url.protocol === 'smtps:'
  const isWholeLogin = (url.username === '') === (url.password === '')
  return isOurs && url.hostname !== '' && isWholeLogin && /^\/?$/.test(url.pathname) && url.search + url.hash === ''
}

function readLogin(url: URL): Smarthost['login'] | 'malformed' {
  if (url.username === '') return undefined
  try {
    return { user: decodeURIComponent(url.username), password: decodeURIComponent(url.password) }
  } catch (error) {
    if (error instanceof URIError) return 'malformed'
    throw error
  }
}
