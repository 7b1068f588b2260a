// What an operator is to do about a DKIM key, and what DNS shows of it, in words.
import type { KeyFault, ShownKey } from '@sekimori/dns/dkim-record'
import type { DkimKeyRecord } from '@sekimori/store/dkim-key'
import type { BilingualText } from './problem.ts'

/** What is to be done about the key by whoever keeps the domain's DNS; undefined: nothing. */
export function toDoText(key: Pick<DkimKeyRecord, 'state' | 'shown' | 'dnsName'>): BilingualText | undefined {
  const { state, shown, dnsName } = key
  switch (state) {
    case 'active':
      return shown === 'matches' ? undefined : publish(dnsName, shown, 'signs')
    case 'pending':
      return shown === 'matches' ? undefined : publish(dnsName, shown, 'waits')
    case 'retiring':
      return {
        ja: `${dnsName} の TXT レコードはまだ削除しないでください。配送中のメールの検証に必要です。`,
        en: `Leave the TXT record at ${dnsName} as it is for now: mail under way is verified with it.`,
      }
    case 'retired':
      if (shown === 'missing' || shown === 'unknown') return undefined
      return {
        ja: `${dnsName} の TXT レコードを削除してください。この鍵はもう使われません。`,
        en: `Remove the TXT record at ${dnsName}: this key is no longer used.`,
      }
  }
}

function publish(dnsName: string, shown: DkimKeyRecord['shown'], use: 'signs' | 'waits'): BilingualText {
  const isOther = shown === 'differs'
  const act = {
    ja: `${dnsName} の TXT レコードを${isOther ? '、ここに示す値に修正' : '公開'}してください。`,
    en: `${isOther ? 'Correct' : 'Publish'} the TXT record at ${dnsName}.`,
  }
  const why =
    use === 'signs'
      ? {
          ja: '公開されるまで、受信側はこの鍵による署名を検証できません。',
          en: 'Until then nobody can verify what is signed with this key.',
        }
      : {
          ja: '公開が確認されると、署名は自動的にこの鍵に切り替わります。',
          en: 'Once it is seen there, signing changes over to this key by itself.',
        }
  return { ja: act.ja + why.ja, en: `${act.en} ${why.en}` }
}

/** What one DNS server shows for a key. */
export function shownText(shown: ShownKey): BilingualText {
  switch (shown.kind) {
    case 'matches':
      return { ja: '正しく公開されています。', en: 'The record is there and right.' }
    case 'missing':
      return { ja: 'TXT レコードがありません。', en: 'There is no TXT record.' }
    case 'differs':
      return faultText[shown.fault]
    case 'unknown':
      return {
        ja: `DNS サーバーから回答を得られませんでした (${shown.code})。しばらくしてから再度確認してください。`,
        en: `The DNS server gave no answer (${shown.code}). Look again later.`,
      }
  }
}

const faultText: Record<KeyFault, BilingualText> = {
  'several-records': {
    ja: 'TXT レコードが複数あります。1 つだけにしてください。',
    en: 'There is more than one TXT record; leave only one.',
  },
  syntax: {
    ja: 'レコードの書式が正しくありません。ここに示す値をそのまま登録してください。',
    en: 'The record can not be read as a DKIM key. Publish the value exactly as it is given here.',
  },
  revoked: { ja: 'p= が空で、鍵は失効とされています。', en: 'Its p= is empty, which revokes the key.' },
  'other-key': {
    ja: '別の鍵が公開されています（値が途中で切れている場合もあります）。',
    en: 'It holds another key, or only a part of this one.',
  },
  'other-type': { ja: '鍵の種類 (k=) が違います。', en: 'Its key type (k=) is another one.' },
  'not-for-mail': {
    ja: 'h= または s= により、メールの署名に使えない鍵とされています。',
    en: 'Its h= or s= says that the key is not for these signatures.',
  },
  testing: {
    ja: 't=y（試験中）が付いています。受信側に無視されるため、取り除いてください。',
    en: 'It says t=y (testing), so that receivers may ignore it; take that out.',
  },
}
