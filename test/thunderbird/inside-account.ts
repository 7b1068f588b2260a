// Runs inside of Thunderbird, each function by itself (Marionette.run): accounts as its account wizard makes them.

/** SSL/TLS, or STARTTLS (STLS) on a plain connection, as nsMsgSocketType has them. */
export type Security = 'SSL' | 'alwaysSTARTTLS'

export interface Listener {
  port: number
  security: Security
}

export interface AccountSettings {
  name: string
  address: string
  password: string
  incoming: Listener
  outgoing: Listener
  leavesOnServer: boolean
}

/** As "Authorities", "Import …" in the certificate manager. */
export function trustAuthority(pem: string): void {
  const base64 = pem.replaceAll(/-----[^-]+-----|\s/g, '')
  const certificates = Cc['@mozilla.org/security/x509certdb;1'].getService(Ci.nsIX509CertDB)
  certificates.addCertFromBase64(base64, 'CT,,')
}

/** Resolves to the account's key. The server's name is localhost, the password is remembered. */
export async function addAccount(settings: AccountSettings): Promise<string> {
  const { AccountConfig } = ChromeUtils.importESModule('resource:///modules/accountcreation/AccountConfig.sys.mjs')
  const module = ChromeUtils.importESModule('resource:///modules/accountcreation/CreateInBackend.sys.mjs')
  const config = new AccountConfig()
  config.identity = { realname: settings.name, emailAddress: settings.address }
  const login = {
    ...{ hostname: 'localhost', username: settings.address, password: settings.password },
    auth: Ci.nsMsgAuthMethod.passwordCleartext,
  }
  const listener = ({ port, security }: Listener) => ({ port, socketType: Ci.nsMsgSocketType[security] })
  Object.assign(config.incoming, login, listener(settings.incoming), { type: 'pop3', loginAtStartup: false })
  Object.assign(config.incoming, { checkInterval: 1000, leaveMessagesOnServer: settings.leavesOnServer })
  Object.assign(config.outgoing, login, listener(settings.outgoing), { type: 'smtp', addThisServer: true })
  Object.assign(config, { displayName: 'localhost', rememberPassword: true })
  const account = await module.CreateInBackend.createAccountInBackend(config)
  return account.key
}
