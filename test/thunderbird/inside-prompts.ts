// Runs inside of Thunderbird, each function by itself (Marionette.run): what it tells its user in dialogs.

/** From now on what Thunderbird would show in a dialog is noted, and answered as by "Cancel", or "OK" where that is all. */
export function notePrompts(): void {
  const noted: string[] = []
  window.notedPrompts = noted
  const note = (_parent: unknown, _title: string, text: string) => void noted.push(text)
  const prompt = {
    QueryInterface: ChromeUtils.generateQI(['nsIPromptService', 'nsIPromptFactory']),
    alert: note,
    confirm: (...given: [unknown, string, string]) => note(...given) ?? false,
    /** The button's number. */
    confirmEx: (...given: [unknown, string, string]) => note(...given) ?? 1,
    getPrompt: () => prompt,
  }
  // Modules have the service in their hands, programs in C++ ask for it by its name.
  const { MailServices } = ChromeUtils.importESModule('resource:///modules/MailServices.sys.mjs')
  Cu.getGlobalForObject(MailServices).Services.prompt = prompt
  const factory = { createInstance: (iid: unknown) => prompt.QueryInterface(iid) }
  const registrar = Components.manager.QueryInterface(Ci.nsIComponentRegistrar)
  registrar.registerFactory(Services.uuid.generateUUID(), 'noted prompts', '@mozilla.org/prompter;1', factory)
}

/** What dialogs would have said. */
export function notedPrompts(): string[] {
  return window.notedPrompts
}
