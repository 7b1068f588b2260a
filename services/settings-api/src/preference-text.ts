// What the owner of an account reads after changing the virus warning setting (S1-30, S1-31).
import type { BilingualText } from './problem.ts'

/** Confirms the change, in the words of the control panel. */
export function changeMessage(virusWarning: boolean): BilingualText {
  return {
    ja: `ウィルスチェックの警告メールを「${virusWarning ? '送信する' : '送信しない'}」に変更しました`,
    en: `The setting for virus check warning mails was changed to "${virusWarning ? 'send' : 'do not send'}"`,
  }
}

/** The caution that goes with switching warnings off. */
export const warningOffCaution: BilingualText = {
  ja: '「送信しない」に設定すると、ウィルスが検知されてメールが停止されても、そのことは通知されません。ただし、当サービスのメーリングリスト宛のウィルスメールについては、メンバーに警告メールが送信されます。',
  en: 'With "do not send" you will not learn of mail that was stopped because a virus was found in it. Members of a mailing list hosted here are still warned of virus mail to that list.',
}
