// What a domain's postmaster reads about DKIM keys that DNS lacks, or has no need of any more; in both languages at once.
import type { KeyNoticeReason, KeyProblem } from '@sekimori/store/dkim-key-notice'
import type { NoticeText } from './warning-text.ts'

const ACTS: Record<KeyNoticeReason, { ja: string; en: string }> = {
  publish: {
    ja: '新しい鍵です。次の TXT レコードを公開してください。公開が確認されると、署名はこの鍵に切り替わります。',
    en: 'A new key. Publish this TXT record; once it is seen there, signing changes over to the key.',
  },
  restore: {
    ja: '署名に使う鍵ですが、DNS に見つかりません。次の TXT レコードを公開してください。',
    en: 'A key that is to sign, and that DNS does not show. Publish this TXT record.',
  },
  remove: {
    ja: 'もう使われない鍵です。この TXT レコードを削除してください。',
    en: 'A key that is no longer used. Remove this TXT record.',
  },
}
/** Texts of more than this are cut into strings of a TXT record (RFC 1035 section 3.3.14). */
const STRING_LENGTH = 255

export function keyNoticeText(domain: string, problems: KeyProblem[]): NoticeText {
  const parts = problems.map(({ dnsName, dnsRecord, reason }) => {
    const { ja, en } = ACTS[reason]
    const record = reason === 'remove' ? [] : [`  ${strings(dnsRecord)}`]
    return [dnsName, `  ${ja}`, `  ${en}`, ...record, ''].join('\n')
  })
  return {
    subject: `DKIM: DNS の変更が必要です / DNS records of ${domain}`,
    body: [
      `${domain} の DKIM 鍵について、DNS の変更が必要です。`,
      `DNS records of DKIM keys of ${domain} are to be changed.`,
      '',
      ...parts,
      'このメールは自動的に送信されています。 / This mail was sent automatically.',
    ].join('\n'),
  }
}

/** As a zone file has it. */
function strings(record: string): string {
  const cut = record.match(new RegExp(`.{1,${STRING_LENGTH}}`, 'g')) ?? []
  return cut.map((string) => `"${string}"`).join(' ')
}
