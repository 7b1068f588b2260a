// The words of a notice about mail that the virus check could not look into, in Japanese and English.

import type { UnscannableAction, UnscannableReason } from '@sekimori/mail/unscannable'
import type { Party } from './parties.ts'
import { shown } from './shown.ts'
import type { NoticeText } from './warning-text.ts'

export interface UnscannableFacts {
  action: UnscannableAction
  reason: UnscannableReason
  subject: string
  from: string
  to: string
  date: string
  queueId: string
}

export const unscannableText: Record<'ja' | 'en', (party: Party, facts: UnscannableFacts) => NoticeText> = {
  ja: inJapanese,
  en: inEnglish,
}

const reasons = {
  ja: {
    encrypted: 'パスワードなどで暗号化されているため',
    depth: '圧縮ファイルの入れ子が深すぎるため',
    size: '大きすぎるため',
    time: '検査に時間がかかりすぎるため',
    damaged: '壊れているか、対応していない形式のため',
  },
  en: {
    encrypted: 'it is encrypted, for example with a password',
    depth: 'its archives are nested too deeply',
    size: 'it is too large',
    time: 'checking it takes too long',
    damaged: 'it is damaged, or of a format that can not be read',
  },
} as const satisfies Record<'ja' | 'en', Record<UnscannableReason, string>>

const japanese = {
  deliver: {
    subject: 'ウイルス検査ができなかったメールのお知らせ',
    what: 'お客様宛てのメールの一部を検査できませんでした。メールはそのままお届けしています。',
    advice: '差出人に心当たりがない場合は、添付ファイルを開かないでください。',
  },
  hold: {
    subject: 'ウイルス検査ができなかったメールを保留しました',
    what: 'お客様宛てのメールの一部を検査できなかったため、ドメインの設定により配送を保留しました。',
    advice: '受け取りが必要な場合は、受付番号を添えて管理者にお問い合わせください。',
  },
  refuse: {
    subject: 'ウイルス検査ができなかったメールの受け取りを拒否しました',
    what: 'お客様宛てのメールの一部を検査できなかったため、ドメインの設定により受け取りを拒否しました。',
    advice: '必要なメールの場合は、受付番号を添えて管理者にお問い合わせください。',
  },
} as const
const japaneseToSender = {
  ...japanese.hold,
  what: 'お客様が送信されたメールの一部を検査できなかったため、ドメインの設定により送信を保留しました。',
  advice: '送信が必要な場合は、受付番号を添えて管理者にお問い合わせください。',
}

function inJapanese({ role, list }: Party, facts: UnscannableFacts): NoticeText {
  const { subject, what, advice } = role === 'sender' ? japaneseToSender : japanese[facts.action]
  const body = [
    what,
    '',
    `理由: ${reasons.ja[facts.reason]}`,
    `件名: ${facts.subject}`,
    `差出人: ${facts.from}`,
    `宛先: ${facts.to}`,
    `日時: ${facts.date}`,
    `受付番号: ${facts.queueId}`,
    ...(list === undefined ? [] : [`メーリングリスト: ${shown(list.name)} (${list.address})`]),
    '',
    advice,
    '',
    'このメールは自動的に送信されています。返信はできません。',
  ]
  return { subject, body: body.join('\n') }
}

const english = {
  deliver: {
    subject: 'A mail could not be checked for viruses',
    what: 'A part of a mail addressed to you could not be checked for viruses. The mail was delivered all the same.',
    advice: 'If you do not expect mail from this sender, do not open what is attached.',
  },
  hold: {
    subject: 'A mail that could not be checked for viruses is held',
    what: 'A part of a mail addressed to you could not be checked for viruses. As set for your domain, the mail is held.',
    advice: 'If you need the mail, ask your administrator and give the queue id.',
  },
  refuse: {
    subject: 'A mail that could not be checked for viruses was refused',
    what: 'A part of a mail addressed to you could not be checked for viruses. As set for your domain, the mail was refused.',
    advice: 'If you need the mail, ask your administrator and give the queue id.',
  },
} as const
const englishToSender = {
  ...english.hold,
  what: 'A part of a mail that you sent could not be checked for viruses. As set for your domain, the mail is held and not sent.',
  advice: 'If it is to be sent, ask your administrator and give the queue id.',
}

function inEnglish({ role, list }: Party, facts: UnscannableFacts): NoticeText {
  const { subject, what, advice } = role === 'sender' ? englishToSender : english[facts.action]
  const body = [
    what,
    '',
    `Reason: ${reasons.en[facts.reason]}`,
    `Subject: ${facts.subject}`,
    `From: ${facts.from}`,
    `To: ${facts.to}`,
    `Date: ${facts.date}`,
    `Queue id: ${facts.queueId}`,
    ...(list === undefined ? [] : [`Mailing list: ${shown(list.name)} (${list.address})`]),
    '',
    advice,
    '',
    'This mail was sent automatically. Please do not reply.',
  ]
  return { subject, body: body.join('\n') }
}
