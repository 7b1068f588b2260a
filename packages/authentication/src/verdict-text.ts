// The verdict on a mail's sender in words, for the owner of a maildrop.
import { domainToUnicode } from 'node:url'
import type { SenderVerdict } from './sender-verdict.ts'

/** The verdict in both languages: one or two sentences. */
export function verdictText(verdict: SenderVerdict): { ja: string; en: string } {
  const { from, resembles } = verdict
  const plain = plainText(verdict, from === undefined ? '' : shownDomain(from))
  if (from === undefined || resembles.length === 0) return plain
  const [own, known] = [shownDomain(from), resembles.map(shownDomain).join(', ')]
  return {
    ja: `${plain.ja} 注意: ${own} は、ご存じのドメイン ${known} とよく似た別のドメインです。合格 (PASS) は「${own} から届いた」ことだけを示し、相手が ${known} であることは示しません。`,
    en: `${plain.en} Caution: ${own} looks like ${known}, which you know, but is another domain. PASS only says that the mail came from ${own}, not that it came from ${known}.`,
  }
}

/** A domain as it is registered, with what it looks like where that is something else. */
function shownDomain(domain: string): string {
  const unicode = domainToUnicode(domain)
  return unicode === '' || unicode === domain ? domain : `${domain} (${unicode})`
}

function plainText({ kind, arc }: SenderVerdict, from: string): { ja: string; en: string } {
  switch (kind) {
    case 'own':
      return {
        ja: '当サーバーのアカウントがログインして送信したメールです。',
        en: 'Sent by an account of this server after it logged in.',
      }
    case 'system':
      return { ja: '当メールシステムからのお知らせです。', en: 'A notice from this mail system itself.' }
    case 'confirmed':
      return {
        ja: `${from} から送信されたことを確認しました (DMARC 合格)。`,
        en: `It is confirmed that this mail comes from ${from} (DMARC pass).`,
      }
    case 'partly':
      return {
        ja: `${from} の SPF または DKIM に合格しましたが、${from} は DMARC を公開していません。`,
        en: `SPF or DKIM passed for ${from}, which publishes no DMARC policy.`,
      }
    case 'unconfirmed':
      return {
        ja: `${from} から送信されたことを確認できません。送信者を確かめてください。`,
        en: `It can not be confirmed that this mail comes from ${from}. Make sure who sent it.`,
      }
    case 'failed':
      return failedText(from, arc === 'pass')
    case 'unreadable':
      return {
        ja: '差出人 (From) を 1 つに特定できないため、送信者を判定できません。ご注意ください。',
        en: 'The From field does not name one sender that can be checked. Be careful.',
      }
    case 'unknown':
      return {
        ja: 'DNS の一時的な問題により、送信者を確認できませんでした。',
        en: 'The sender could not be checked because DNS did not answer.',
      }
  }
}

function failedText(from: string, isForwarded: boolean): { ja: string; en: string } {
  const forwarded = isForwarded
    ? {
        ja: ' 転送の途中で失敗した可能性もあります (ARC 合格)。',
        en: ' It may also have failed because it was forwarded (ARC pass).',
      }
    : { ja: '', en: '' }
  return {
    ja: `認証に失敗しました (DMARC 不合格)。${from} を騙るなりすましの可能性があります。リンクや添付ファイルを開かないでください。${forwarded.ja}`,
    en: `Authentication failed (DMARC fail): this mail may pretend to come from ${from}. Do not open its links or attachments.${forwarded.en}`,
  }
}
