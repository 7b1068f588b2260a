// What the owner of an account reads about virus warnings that were left out, in Japanese and English.
import { mailDate } from '@sekimori/mail/date'
import type { WarningSummary } from '@sekimori/store/warning-summary'
import type { NoticeText } from './warning-text.ts'

export const summaryText: Record<'ja' | 'en', (summary: WarningSummary) => NoticeText> = {
  ja: ({ leftOut, from, until }) => ({
    subject: `ウイルス検知のお知らせ(省略 ${leftOut} 通)`,
    body: [
      '短い時間に多くのウイルスメールを検知したため、一部の警告メールの送信を省略しました。',
      'ウイルスメールは、すべて配送を中止し、隔離しています。',
      '',
      `省略した警告メール: ${leftOut} 通`,
      `期間: ${mailDate(from)} から ${mailDate(until)} まで`,
      '',
      'お客様の操作は必要ありません。個々のメールについては運用者にお問い合わせください。',
      '',
      'このメールは自動的に送信されています。返信はできません。',
    ].join('\n'),
  }),
  en: ({ leftOut, from, until }) => ({
    subject: `Virus warnings left out: ${leftOut}`,
    body: [
      'Many mails with viruses were found in a short time, so some warnings were not sent.',
      'All of these mails were stopped and put into quarantine.',
      '',
      `Warnings left out: ${leftOut}`,
      `Period: ${mailDate(from)} to ${mailDate(until)}`,
      '',
      'You need not do anything. Your operator can tell you about each mail.',
      '',
      'This mail was sent automatically. Please do not reply.',
    ].join('\n'),
  }),
}
