// The words of a delivery status notification, in Japanese and English.
import type { FailedRecipient } from '@sekimori/mail/notice'
import { shown, shownAddresses } from './shown.ts'
import type { NoticeText } from './warning-text.ts'

type Action = 'failed' | 'delayed'

export const dsnText: Record<
  'ja' | 'en',
  (action: Action, recipients: FailedRecipient[], queueId: string) => NoticeText
> = { ja: inJapanese, en: inEnglish }

function inJapanese(action: Action, recipients: FailedRecipient[], queueId: string): NoticeText {
  const subject = action === 'failed' ? 'メールをお届けできませんでした' : 'メールの配送が遅れています'
  const intro =
    action === 'failed'
      ? 'お送りいただいたメールを、次の宛先にお届けできませんでした。'
      : 'お送りいただいたメールを、次の宛先にまだお届けできていません。引き続き配送を試みますので、再送の必要はありません。'
  return { subject, body: [intro, '', ...recipients.flatMap(describe), `受付番号: ${queueId}`].join('\n') }
}

function inEnglish(action: Action, recipients: FailedRecipient[], queueId: string): NoticeText {
  const subject = action === 'failed' ? 'Your mail could not be delivered' : 'Your mail is delayed'
  const intro =
    action === 'failed'
      ? 'Your mail could not be delivered to the following recipients.'
      : 'Your mail could not be delivered to the following recipients yet. Delivery will be tried again; you need not send it again.'
  return { subject, body: [intro, '', ...recipients.flatMap(describe), `Queue id: ${queueId}`].join('\n') }
}

function describe({ address, status, diagnostic, remoteMta }: FailedRecipient): string[] {
  return [
    shownAddresses(address),
    `  ${status} ${shown(diagnostic)}${remoteMta === undefined ? '' : ` (${shown(remoteMta)})`}`,
    '',
  ]
}
