// Why an address can't be given to a new account or list.
import type { AddressState } from '@sekimori/store/domain-admin'
import { Problem } from '../problem.ts'

/** The problem to answer with. */
export function addressRefused(address: string, because: Exclude<AddressState, 'free'>): Problem {
  switch (because) {
    case 'no-domain':
      return new Problem(
        'unknown-domain',
        {
          en: `The domain of ${address} is not here; add it with POST /v1/domains first.`,
          ja: `${address} のドメインは登録されていません。先に POST /v1/domains で追加してください。`,
        },
        [{ pointer: '/address', detail: 'has a domain that is not here', detailJa: '登録されていないドメインです' }],
      )
    case 'account':
      return new Problem('address-taken', {
        en: `There is an account ${address} already.`,
        ja: `アカウント ${address} は既に存在します。`,
      })
    case 'alias':
      return new Problem('address-taken', {
        en: `There is an alias ${address} already.`,
        ja: `エイリアス ${address} は既に存在します。`,
      })
    case 'list':
      return new Problem('address-taken', {
        en: `There is a mailing list ${address} already.`,
        ja: `メーリングリスト ${address} は既に存在します。`,
      })
  }
}
