// The languages of the replies (RFC 6856 section 3): English in ASCII until a client asks for another one by LANG.

/** What a reply says to a person; a string is the same in all languages. */
export type Text = string | Readonly<Record<Language, string>>

const NAMES = { en: 'English', ja: '日本語' } as const

export type Language = keyof typeof NAMES

/** Which language a client has that has asked for none (RFC 2277 section 4.5). */
export const DEFAULT_LANGUAGE: Language = 'en'

export function inLanguage(text: Text, language: Language): string {
  return typeof text === 'string' ? text : text[language]
}

/** The lines of a LANG without argument: each tag, and what its language is called in it. */
export function languageListing(): string[] {
  return Object.entries(NAMES).map(([tag, name]) => `${tag} ${name}`)
}

/** The language for a basic language range, by lookup (RFC 4647 section 3.4): `ja-JP` finds `ja`. */
export function languageFor(range: string, preferred: Language): Language | undefined {
  if (range === '*') return preferred
  if (!/^[a-z]{1,8}(?:-[a-z0-9]{1,8})*$/i.test(range)) return undefined
  const [tag] = range.toLowerCase().split('-')
  return Object.hasOwn(NAMES, tag!) ? (tag as Language) : undefined
}
