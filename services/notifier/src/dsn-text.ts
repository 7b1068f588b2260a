// The words of a delivery status notification, in Japanese and English.
import type { FailedRecipient } from '@sekimori/mail/notice'
import { shown, shownAddresses } from './shown.ts'
import type { NoticeText } from './warning-text.ts'

type Action = 'failed' | 'delayed' | 'relayed' | 'delivered' | 'expanded'

export const dsnText: Record<
  'ja' | 'en',
  (action: Action, recipients: FailedRecipient[], queueId: string) => NoticeText
> = { ja: inJapanese, en: inEnglish }

const japanese: Record<Action, { subject: string; intro: string }> = {
  failed: {
    subject: 'メールをお届けできませんでした',
    intro: 'お送りいただいたメールを、次の宛先にお届けできませんでした。',
  },
  delayed: {
    subject: 'メールの配送が遅れています',
    intro:
      'お送りいただいたメールを、次の宛先にまだお届けできていません。引き続き配送を試みますので、再送の必要はありません。',
  },
  relayed: {
    subject: 'メールを相手先のサーバーに引き渡しました',
    intro:
      'お送りいただいたメールを、次の宛先のサーバーに引き渡しました。そのサーバーは配送結果を通知しないため、この後の通知はありません。',
  },
  delivered: {
    subject: 'メールをお届けしました',
    intro: 'お送りいただいたメールを、次の宛先にお届けしました。',
  },
  expanded: {
    subject: 'メールを次の配送先に送りました',
    intro: 'お送りいただいたメールは次の宛先に届き、そこから別の宛先に送られました。この後の通知はありません。',
  },
}

const english: Record<Action, { subject: string; intro: string }> = {
  failed: {
    subject: 'Your mail could not be delivered',
    intro: 'Your mail could not be delivered to the following recipients.',
  },
  delayed: {
    subject: 'Your mail is delayed',
    intro:
      'Your mail could not be delivered to the following recipients yet. Delivery will be tried again; you need not send it again.',
  },
  relayed: {
    subject: 'Your mail was handed over',
    intro:
      'Your mail was handed over to the servers of the following recipients. They do not report on delivery, so that no further notice will come.',
  },
  delivered: {
    subject: 'Your mail was delivered',
    intro: 'Your mail was delivered to the following recipients.',
  },
  expanded: {
    subject: 'Your mail was passed on',
    intro: 'Your mail reached the following addresses, which pass it on to others. No further notice will come.',
  },
}

function inJapanese(action: Action, recipients: FailedRecipient[], queueId: string): NoticeText {
  const { subject, intro } = japanese[action]
  return { subject, body: [intro, '', ...recipients.flatMap(describe), `受付番号: ${queueId}`].join('\n') }
}

function inEnglish(action: Action, recipients: FailedRecipient[], queueId: string): NoticeText {
  const { subject, intro } = english[action]
  return { subject, body: [intro, '', ...recipients.flatMap(describe), `Queue id: ${queueId}`].join('\n') }
}

function describe({ address, status, diagnostic, remoteMta }: FailedRecipient): string[] {
  return [
    shownAddresses(address),
    `  ${status} ${shown(diagnostic)}${remoteMta === undefined ? '' : ` (${shown(remoteMta)})`}`,
    '',
  ]
}
