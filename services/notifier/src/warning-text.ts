// The words of a virus warning, in Japanese and English.
import type { Party } from './parties.ts'
import { shown } from './shown.ts'

export interface WarningFacts {
  signature: string
  subject: string
  from: string
  to: string
  date: string
  queueId: string
  /** It lay in the maildrop already, and was found by signatures that came later. */
  wasDelivered: boolean
}

export interface NoticeText {
  subject: string
  body: string
}

export const warningText: Record<'ja' | 'en', (party: Party, facts: WarningFacts) => NoticeText> = {
  ja: inJapanese,
  en: inEnglish,
}

function inJapanese({ role, list }: Party, facts: WarningFacts): NoticeText {
  const what = facts.wasDelivered
    ? '配送済みのメールから、新しいウイルス定義によってウイルスを検知したため、メールボックスから削除し、隔離しました。'
    : role === 'sender'
      ? 'お客様が送信されたメールからウイルスを検知したため、送信を中止し、隔離しました。'
      : 'お客様宛てのメールからウイルスを検知したため、配送を中止し、隔離しました。'
  const advice = facts.wasDelivered
    ? 'このメールを既に受信している場合は、開かずに、メールソフトからも削除してください。添付ファイルを開いた場合は、端末がウイルスに感染している可能性があります。ネットワークから切り離し、ウイルス対策ソフトで検査してください。差出人は詐称されていることがあります。隔離したメールをお渡しすることはできません。'
    : role === 'sender'
      ? 'お使いの端末がウイルスに感染している可能性があります。ウイルス対策ソフトで検査し、問題のないファイルをあらためてお送りください。心当たりのない送信の場合は、パスワードを変更してください。'
      : 'お客様の操作は必要ありません。差出人は詐称されていることがあります。隔離したメールをお渡しすることはできません。'
  const viaList =
    list === undefined
      ? []
      : [
          `メーリングリスト: ${listName(list)}`,
          '(メーリングリスト宛てのウイルスメールは、警告メールの設定にかかわらずお知らせします)',
        ]
  const body = [
    what,
    '',
    `検知名: ${facts.signature}`,
    `件名: ${facts.subject}`,
    `差出人: ${facts.from}`,
    `宛先: ${facts.to}`,
    `日時: ${facts.date}`,
    `受付番号: ${facts.queueId}`,
    ...viaList,
    '',
    advice,
    '',
    'このメールは自動的に送信されています。返信はできません。',
  ]
  return { subject: 'ウイルス検知のお知らせ', body: body.join('\n') }
}

function inEnglish({ role, list }: Party, facts: WarningFacts): NoticeText {
  const what = facts.wasDelivered
    ? 'New virus signatures found a virus in a mail that had been delivered to you already. The mail was removed from your mailbox and put into quarantine.'
    : role === 'sender'
      ? 'A virus was found in a mail that you sent. The mail was stopped and put into quarantine.'
      : 'A virus was found in a mail addressed to you. The mail was stopped and put into quarantine.'
  const advice = facts.wasDelivered
    ? 'If your mail program has fetched the mail already, do not open it, and delete it there as well. If you have opened an attachment of it, your device may be infected: take it off the network and check it with antivirus software. The sender address may be forged. A mail in quarantine can not be handed out.'
    : role === 'sender'
      ? 'Your device may be infected. Please check it with antivirus software and send a clean file again. If you did not send this mail, change your password.'
      : 'You need not do anything. The sender address may be forged. A mail in quarantine can not be handed out.'
  const viaList =
    list === undefined
      ? []
      : [
          `Mailing list: ${listName(list)}`,
          '(Virus mail to a mailing list is reported whatever your warning setting is)',
        ]
  const body = [
    what,
    '',
    `Virus: ${facts.signature}`,
    `Subject: ${facts.subject}`,
    `From: ${facts.from}`,
    `To: ${facts.to}`,
    `Date: ${facts.date}`,
    `Queue id: ${facts.queueId}`,
    ...viaList,
    '',
    advice,
    '',
    'This mail was sent automatically. Please do not reply.',
  ]
  return { subject: 'Virus warning', body: body.join('\n') }
}

/** The name as people know the list, and its address. */
function listName({ name, address }: NonNullable<Party['list']>): string {
  return name === address ? address : `${shown(name)} <${address}>`
}
