// Why a clamd is not used, for people.
import type { EngineFault } from '@sekimori/store/signature-status'
import type { BilingualText } from './problem.ts'

export const engineFaultTexts: Record<EngineFault, BilingualText> = {
  untested: {
    en: 'The scanner has not tested it yet.',
    ja: 'スキャナーによる確認がまだ完了していません。',
  },
  unreachable: {
    en: 'It does not answer, or not as clamd does. Mail that no other clamd scans waits.',
    ja: '応答がないか、clamd の応答ではありません。他に検査できる clamd がない場合、メールは待機します。',
  },
  'misses-eicar': {
    en: 'It does not find the EICAR test file: are its signatures there?',
    ja: 'EICAR テストファイルを検出しません。ウイルス定義があるか確認してください。',
  },
  'misses-the-end': {
    en: 'It does not look at the whole of a large mail: StreamMaxLength, MaxFileSize and MaxScanSize must be above MAX_MESSAGE_BYTES.',
    ja: '大きなメールを最後まで検査しません。StreamMaxLength、MaxFileSize、MaxScanSize を MAX_MESSAGE_BYTES より大きくしてください。',
  },
  'too-old': {
    en: 'Its signatures are older than SIGNATURE_MAX_AGE: does freshclam run?',
    ja: 'ウイルス定義が SIGNATURE_MAX_AGE より古くなっています。freshclam が動作しているか確認してください。',
  },
  'age-unknown': {
    en: 'It does not say how old its signatures are, and SIGNATURE_MAX_AGE is set: has it official ones?',
    ja: 'ウイルス定義の日時が不明です（SIGNATURE_MAX_AGE が設定されています）。公式のウイルス定義があるか確認してください。',
  },
  'from-future': {
    en: 'Its signatures are from the future: the clock of the scanner, or of clamd, is wrong.',
    ja: 'ウイルス定義の日時が未来です。スキャナーまたは clamd の時計が正しくありません。',
  },
}
