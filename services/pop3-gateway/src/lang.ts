// The LANG command (RFC 6856 section 3.2): in which language the human-readable text of replies is, in both states.
import type { Conversation } from './conversation.ts'
import { languageFor, languageListing } from './language.ts'
import { err, listing, ok } from './reply.ts'
import { texts } from './texts.ts'

/** Lists the languages, or changes to the one that the range asks for; the reply is in it already. */
export async function answerLang(conversation: Conversation, range: string | undefined): Promise<void> {
  if (range === undefined) return conversation.sayAll(listing(texts.languages, languageListing()))
  const language = languageFor(range, conversation.settings.preferredLanguage)
  if (language === undefined) return conversation.say(err(texts.languageUnknown))
  conversation.language = language
  await conversation.say(ok(texts.languageChosen))
}
