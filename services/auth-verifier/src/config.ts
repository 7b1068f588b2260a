// Settings of the auth verifier.
import { brokerSettings, databaseSettings, processSettings, stageSettings } from '@sekimori/config/settings'
import { dnsSettings } from '@sekimori/dns/settings'
import Type, { type Static } from 'typebox'

export const schema = Type.Object({
  ...processSettings,
  ...databaseSettings,
  ...brokerSettings,
  ...stageSettings,
  ...dnsSettings,
})

export type Config = Static<typeof schema>
