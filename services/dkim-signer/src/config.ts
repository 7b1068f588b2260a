// Settings of the DKIM signer.
import { brokerSettings, databaseSettings, processSettings, secret, stageSettings } from '@sekimori/config/settings'
import Type, { type Static } from 'typebox'

export const schema = Type.Object({
  ...processSettings,
  ...databaseSettings,
  ...brokerSettings,
  ...stageSettings,
  DKIM_MASTER_KEY: secret('32 octets in base64 that open the private keys'),
})

export type Config = Static<typeof schema>
