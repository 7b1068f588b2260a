// What the person at the terminal reads, in English and Japanese.
import { ConfigError } from '@sekimori/config/config'
import type { Settings } from './config.ts'
import type { Endpoints } from './endpoints.ts'
import { StartFailure } from './start-failure.ts'

export const help = `npm start [-- --standard-ports]

Starts the whole system on this machine: private Postgres, RabbitMQ and clamd, and every service.
Ctrl-C stops all of it. What it keeps is below STATE_DIR; the next start goes on with it.
このマシンでシステム全体を起動します。Ctrl-C で停止します。データは STATE_DIR に残ります。

  --standard-ports   bind 25, 110, 465, 587 and 995 instead of the ports below / 標準ポートを使用
  --help             this text / この説明

Settings (environment) / 設定 (環境変数):
  SUBMISSION_PORT=1587 SMTPS_PORT=1465 MX_PORT=1025 POP3_PORT=1110 POP3S_PORT=1995
  SETTINGS_API_PORT=8080 PORTAL_PORT=8081 BIND_ADDRESS=127.0.0.1 STATE_DIR=.local
  MAIL_HOSTNAME=mail.example.test SIGNATURE_UPDATES=on|off
  and every setting of a service: DNS_SERVERS, RELAY_PORT, SMARTHOST, PLAINTEXT_AUTH, …
`

/** Where everything is and how a mail client is set up. */
export function describeSystem(settings: Settings, endpoints: Omit<Endpoints, 'processes'>): string {
  const { submission, smtps, mx, pop3, pop3s } = endpoints
  const host = submission.host === '127.0.0.1' ? 'localhost' : submission.host
  const accounts = endpoints.accounts.map(({ address, password }) => `    ${address}   ${password}`)
  return [
    '',
    'Sekimori is ready / 起動しました',
    '',
    `  Submission 587 → ${submission.port} (STARTTLS)   465 → ${smtps.port} (TLS)   MX 25 → ${mx.port}`,
    `  POP3       110 → ${pop3.port} (STLS)       995 → ${pop3s.port} (TLS)`,
    `  Settings API / 設定 API   ${endpoints.settingsApi}/documentation`,
    `  Virus signatures / ウイルス定義   ${endpoints.settingsApi}/v1/signatures (version, age / バージョン、日時)`,
    '',
    '  Demo accounts / デモ用アカウント (address, password / アドレス、パスワード):',
    ...accounts,
    '    staff@example.test → bob, carol (list / メーリングリスト)',
    '',
    '  Mail client / メールソフトの設定:',
    `    Incoming / 受信 (POP3): ${host}, port ${pop3s.port} SSL/TLS, or / または ${pop3.port} STARTTLS`,
    `    Outgoing / 送信 (SMTP): ${host}, port ${smtps.port} SSL/TLS, or / または ${submission.port} STARTTLS`,
    '    User name / ユーザー名: the whole address / メールアドレス全体',
    '    Outgoing login / 送信の認証: same as incoming / 受信と同じ',
    `    CA certificate to trust / 信頼する CA 証明書: ${endpoints.caCertificate}`,
    '',
    `  ${settings.STATE_DIR}/endpoints.json lists all this for programs. Logs: ${settings.STATE_DIR}/logs`,
    '  Ctrl-C stops everything / Ctrl-C で停止します',
  ].join('\n')
}

/** Said loudly: without the official signatures next to nothing is found. */
export function signatureWarning(directory: string): string {
  const line = '!'.repeat(100)
  return [
    line,
    '!! NO OFFICIAL VIRUS SIGNATURES: only the EICAR test file is detected, real viruses are NOT.',
    `!! freshclam could not fetch them or has not yet. Put signature files into ${directory}, or see to it that`,
    '!! database.clamav.net can be reached.',
    '!! ウイルス定義がありません: 検出できるのは EICAR テストファイルだけです。実際のウイルスは検出されません。',
    line,
  ].join('\n')
}

/** When fetching the official signatures begins to fail, or works again. */
export function describeFetching(fault: string | undefined): string {
  return fault === undefined
    ? 'freshclam fetches the official virus signatures again / ウイルス定義を再び取得できるようになりました'
    : `freshclam could not fetch the official virus signatures: ${fault} / ウイルス定義を取得できませんでした`
}

/** An error at start, for the terminal: the remedy for the expected ones, all that is known for the others. */
export function describeFailure(error: unknown): string {
  if (error instanceof StartFailure) return `\nnpm start: ${error.message}\n${error.japanese}\n`
  if (error instanceof ConfigError)
    return `\nnpm start: ${error.message}\n設定に誤りがあります。上の項目を直して、もう一度起動してください。\n`
  return `\nnpm start failed unexpectedly / 予期しないエラー:\n${error instanceof Error ? error.stack : String(error)}\n`
}
