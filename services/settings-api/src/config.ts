// Settings of the settings API.
import { databaseSettings, port, processSettings, secret, sendingLimitSettings } from '@sekimori/config/settings'
import { dnsSettings } from '@sekimori/dns/settings'
import { isMasterKeys } from '@sekimori/store/seal'
import Type, { type Static } from 'typebox'

export const schema = Type.Object({
  ...processSettings,
  ...databaseSettings,
  ...dnsSettings,
  ...sendingLimitSettings,
  SETTINGS_API_PORT: port(8080, 'the REST API and /documentation'),
  ADMIN_API_KEY: Type.Refine(
    secret('bearer token of operators (make one with: openssl rand -hex 32)'),
    (key) => /^[\x21-\x7e]{16,}$/.test(key),
    () => 'must be 16 or more visible ASCII characters',
  ),
  DKIM_MASTER_KEY: Type.Refine(
    secret('seals the private DKIM keys, the same for all services (make one with: openssl rand -base64 32)'),
    isMasterKeys,
    () => 'must be 32 octets in base64, or several such keys separated by commas',
  ),
})

export type Config = Static<typeof schema>
