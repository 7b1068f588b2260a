// What the owner of an account reads when its sending was stopped, in Japanese and English.
import type { InfectedLimit } from '@sekimori/store/sending-stop'
import type { NoticeText } from './warning-text.ts'

type Text = (address: string, limit: InfectedLimit, queueId: string) => NoticeText

export const sendingStopText: Record<'ja' | 'en', Text> = {
  ja: (address, { mails, windowMinutes }, queueId) => ({
    subject: 'メールの送信を停止しました',
    body: [
      `お客様のアカウント ${address} から、${windowMinutes} 分以内に ${mails} 通のウイルスメールが送信されたため、`,
      'このアカウントからのメールの送信を停止しました。メールの受信は、これまでどおりご利用いただけます。',
      '',
      'お使いの端末がウイルスに感染しているか、パスワードが第三者に知られている可能性があります。',
      '1. お使いの端末をウイルス対策ソフトで検査してください。',
      '2. パスワードを変更してください。',
      '3. そのうえで、受付番号を添えて運用者にご連絡ください。送信を再開できるのは運用者だけです。',
      '',
      `受付番号: ${queueId}`,
      '',
      'このメールは自動的に送信されています。返信はできません。',
    ].join('\n'),
  }),
  en: (address, { mails, windowMinutes }, queueId) => ({
    subject: 'Sending from your account was stopped',
    body: [
      `Your account ${address} sent ${mails} mails with viruses within ${windowMinutes} minutes.`,
      'No more mail is accepted from it. You can still receive mail.',
      '',
      'Your device may be infected, or somebody else may know your password.',
      '1. Check your device with antivirus software.',
      '2. Change your password.',
      '3. Then contact your operator, giving the queue id. Only the operator can let the account send again.',
      '',
      `Queue id: ${queueId}`,
      '',
      'This mail was sent automatically. Please do not reply.',
    ].join('\n'),
  }),
}
