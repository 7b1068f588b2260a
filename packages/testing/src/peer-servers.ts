// Postfix, Exim and OpenSMTPD as other people's mail servers: each keeps mail for `<name>.test` in a maildir, refuses
// `refused@`, and relays all else that this machine hands it: what is from the owner of an account of ours to our
// submission port, logged in, and other mail to our port 25.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Endpoint } from './line-socket.ts'
import { type PeerRoot, startInRoot } from './peer-root.ts'

export const peerNames = ['postfix', 'exim', 'opensmtpd'] as const
export type PeerName = (typeof peerNames)[number]

export interface Peer extends AsyncDisposable {
  domain: string
  endpoint: Endpoint
  /** The mails in its maildir, with CRLF. */
  mails(): Buffer[]
}

interface Login {
  address: string
  password: string
}

/** Our ports as the peer is to use them, and whose mail it submits by 587 and by 465. */
export interface Ours {
  mx: Endpoint
  submission: Endpoint & { login: Login }
  smtps: Endpoint & { login: Login }
}

interface Recipe {
  packageName: string
  /** Needed besides, where the machine has it not. */
  morePackages?: string[]
  host: string
  maildir: string
  script(port: number, ours: Ours): string
}

const account = (name: string, id: number) =>
  `echo '${name}:x:${id}:${id}::/nonexistent:/usr/sbin/nologin' >> /etc/passwd; echo '${name}:x:${id}:' >> /etc/group`

const recipes: Record<PeerName, Recipe> = {
  postfix: {
    packageName: 'postfix',
    morePackages: ['libsasl2-modules'],
    host: '127.0.0.81',
    maildir: 'mail/all',
    script: (port, { mx, submission, smtps }) => `set -e
${account('postfix', 64025)}
${account('postdrop', 64026)}
mkdir -p /mail /var/spool/postfix /var/lib/postfix; chown postfix /mail /var/lib/postfix
sed -E 's/^smtp +inet.*/127.0.0.81:${port} inet n - n - - smtpd/; s/^(\\S+\\s+(inet|unix)\\s+\\S+\\s+\\S+\\s+)[y-]/\\1n/' \\
  /usr/share/postfix/master.cf.dist > /etc/postfix/master.cf
echo 'smtps unix - - n - - smtp -o smtp_tls_wrappermode=yes' >> /etc/postfix/master.cf
cat > /etc/postfix/main.cf <<C
compatibility_level = 3.6
myhostname = postfix.test
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = loopback-only
inet_protocols = ipv4
maillog_file = /var/log/postfix.log
virtual_mailbox_domains = postfix.test
virtual_mailbox_maps = static:all/
virtual_mailbox_base = /mail
virtual_uid_maps = static:64025
virtual_gid_maps = static:64025
smtpd_recipient_restrictions = check_recipient_access inline:{{refused@postfix.test = REJECT not here}}, permit_mynetworks, reject
relayhost = [${mx.host}]:${mx.port}
sender_dependent_relayhost_maps = inline:{${[submission, smtps].map(({ login, host, port }) => `{${login.address} = [${host}]:${port}}`)}}
sender_dependent_default_transport_maps = inline:{{${smtps.login.address} = smtps:}}
smtp_sasl_auth_enable = yes
smtp_sender_dependent_authentication = yes
smtp_sasl_password_maps = inline:{${[submission, smtps].map(({ login }) => `{${login.address} = ${login.address}:${login.password}}`)}}
smtp_sasl_security_options =
smtp_tls_security_level = may
smtp_tls_policy_maps = inline:{${[submission, smtps].map(({ host, port }) => `{[${host}]:${port} = encrypt}`)}}
alias_maps =
C
exec /usr/sbin/postfix start-fg`,
  },
  exim: {
    packageName: 'exim4-daemon-light',
    host: '127.0.0.82',
    maildir: 'mail/all',
    script: (port, { mx, submission, smtps }) => `set -e
${account('Debian-exim', 64027)}
mkdir -p /var/spool/exim4 /var/log/exim4 /mail /etc/exim4; chown -R Debian-exim /var/spool/exim4 /var/log/exim4 /mail
cat > /etc/exim4/exim4.conf <<C
primary_hostname = exim.test
local_interfaces = 127.0.0.82
daemon_smtp_ports = ${port}
domainlist local_domains = exim.test
acl_smtp_rcpt = rcpt
tls_advertise_hosts =
begin acl
rcpt:
  deny recipients = refused@exim.test
    message = not here
  accept
begin routers
here:
  driver = accept
  domains = +local_domains
  transport = maildir
submit:
  driver = manualroute
  senders = ${submission.login.address}
  route_list = * ${submission.host}::${submission.port}
  self = send
  transport = submission
submit_by_tls:
  driver = manualroute
  senders = ${smtps.login.address}
  route_list = * ${smtps.host}::${smtps.port}
  self = send
  transport = smtps
out:
  driver = manualroute
  route_list = * ${mx.host}::${mx.port}
  self = send
  transport = smtp
begin transports
maildir:
  driver = appendfile
  directory = /mail/all
  maildir_format
  user = Debian-exim
  group = Debian-exim
smtp:
  driver = smtp
submission:
  driver = smtp
  hosts_require_tls = *
  hosts_require_auth = *
smtps:
  driver = smtp
  protocol = smtps
  hosts_require_auth = *
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  client_condition = \\\${if eq{\\$sender_address}{${submission.login.address}}}
  client_send = ^${submission.login.address}^${submission.login.password}
login:
  driver = plaintext
  public_name = LOGIN
  client_condition = \\\${if eq{\\$sender_address}{${smtps.login.address}}}
  client_send = : ${smtps.login.address} : ${smtps.login.password}
begin retry
* * F,5m,5s
C
exec /usr/sbin/exim4 -bdf -q1m`,
  },
  opensmtpd: {
    packageName: 'opensmtpd',
    host: '127.0.0.83',
    maildir: 'mail',
    script: (port, { mx, submission, smtps }) => `set -e
${account('opensmtpd', 64028)}
${account('opensmtpq', 64029)}
${account('peer', 64030)}
mkdir -p /mail /var/lib/opensmtpd/empty /run/opensmtpd; chmod 755 /var/lib/opensmtpd/empty /run/opensmtpd; chown peer /mail
cat > /etc/smtpd.conf <<C
table logins { ${[submission, smtps].map(({ login, port }) => `by${port} = "${login.address}:${login.password}"`)} }
mta limit conn-delay-route 0
mta limit reconn-delay-route 0
listen on 127.0.0.83 port ${port} hostname opensmtpd.test
action "keep" maildir "/mail" virtual { "@" = peer }
action "submit" relay host smtp+tls://by${submission.port}@${submission.host}:${submission.port} auth <logins> tls no-verify helo opensmtpd.test
action "submit by tls" relay host smtps://by${smtps.port}@${smtps.host}:${smtps.port} auth <logins> tls no-verify helo opensmtpd.test
action "out" relay host smtp://${mx.host}:${mx.port} helo opensmtpd.test
match from any for rcpt-to "refused@opensmtpd.test" reject
match from any for domain "opensmtpd.test" action "keep"
match from any mail-from "${submission.login.address}" for any action "submit"
match from any mail-from "${smtps.login.address}" for any action "submit by tls"
match from any for any action "out"
C
exec /usr/sbin/smtpd -d`,
  },
}

/** Starts the server at this port of an address of its own. */
export async function startPeer(name: PeerName, port: number, ours: Ours): Promise<Peer> {
  const { packageName, morePackages = [], host, maildir, script } = recipes[name]
  const endpoint = { host, port }
  const root: PeerRoot = await startInRoot([packageName, ...morePackages], script(port, ours), endpoint)
  return {
    domain: `${name}.test`,
    endpoint,
    mails() {
      const dir = join(root.files, maildir, 'new')
      const names = existsSync(dir) ? readdirSync(dir) : []
      return names.map((one) => Buffer.from(readFileSync(join(dir, one), 'latin1').replace(/\r?\n/g, '\r\n'), 'latin1'))
    },
    [Symbol.asyncDispose]: () => root[Symbol.asyncDispose](),
  }
}
