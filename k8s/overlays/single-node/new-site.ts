// Prints what is particular to one installation, as objects for `kubectl create -f -`: host name, keys, passwords and
// certificate. Each run makes new passwords; `create` never replaces those of an installation that is there.
import { createPrivateKey, randomBytes, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'

const NAMESPACE = 'sekimori'
const USAGE = 'usage: node new-site.ts HOSTNAME CERTIFICATE.pem KEY.pem | kubectl create -f -'

function siteObjects(hostname: string, certificate: string, key: string): object[] {
  const database = password()
  const broker = password()
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } },
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'sekimori-site', namespace: NAMESPACE },
      data: { MAIL_HOSTNAME: hostname },
    },
    secret('sekimori', 'Opaque', {
      'database-url': `postgres://sekimori:${database}@postgres:5432/sekimori`,
      'broker-url': `amqp://sekimori:${broker}@rabbitmq:5672`,
      'dkim-master-key': randomBytes(32).toString('base64'),
      'quarantine-master-key': randomBytes(32).toString('base64'),
      'srs-secret': randomBytes(32).toString('hex'),
      'admin-api-key': randomBytes(32).toString('hex'),
    }),
    secret('sekimori-servers', 'Opaque', {
      'postgres-superuser-password': password(),
      'postgres-password': database,
      'rabbitmq-credentials.conf': `default_user = sekimori\ndefault_pass = ${broker}\n`,
    }),
    secret('sekimori-tls', 'kubernetes.io/tls', { 'tls.crt': certificate, 'tls.key': key }),
  ]
}

function secret(name: string, type: string, stringData: Record<string, string>): object {
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace: NAMESPACE }, type, stringData }
}

function password(): string {
  return randomBytes(24).toString('hex')
}

/** What is wrong with the certificate, if anything. */
function certificateFault(hostname: string, certificate: string, key: string): string | undefined {
  const parsed = new X509Certificate(certificate)
  if (!parsed.checkPrivateKey(createPrivateKey(key))) return 'the key does not belong to the certificate'
  if (parsed.checkHost(hostname) === undefined) return `the certificate is not for ${hostname}`
  if (parsed.validToDate < new Date()) return `the certificate ended on ${parsed.validTo}`
  return undefined
}

function stop(english: string, japanese: string): never {
  process.stderr.write(`${english}\n${japanese}\n`)
  process.exit(1)
}

const [hostname, certificatePath, keyPath] = process.argv.slice(2)
if (!hostname || !certificatePath || !keyPath) stop(USAGE, '引数: ホスト名、証明書(PEM)、秘密鍵(PEM)')
if (process.stdout.isTTY)
  stop(`The output holds passwords: ${USAGE}`, '出力にはパスワードが含まれます。kubectl create -f - へ渡してください。')
const certificate = readFileSync(certificatePath, 'utf8')
const key = readFileSync(keyPath, 'utf8')
const fault = certificateFault(hostname, certificate, key)
if (fault !== undefined) stop(`${certificatePath}: ${fault}`, '証明書を確認してください。')
process.stdout.write(
  `${JSON.stringify({ apiVersion: 'v1', kind: 'List', items: siteObjects(hostname, certificate, key) }, null, 2)}\n`,
)
