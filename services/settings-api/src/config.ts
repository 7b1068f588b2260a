// Settings of the settings API.
import { databaseSettings, port, processSettings, secret } from '@sekimori/config/settings'
import Type, { type Static } from 'typebox'

const MASTER_KEY_BYTES = 32

export const schema = Type.Object({
  ...processSettings,
  ...databaseSettings,
  SETTINGS_API_PORT: port(8080, 'the REST API and /documentation'),
  ADMIN_API_KEY: Type.Refine(
    secret('bearer token of operators (make one with: openssl rand -hex 32)'),
    (key) => /^[\x21-\x7e]{16,}$/.test(key),
    () => 'must be 16 or more visible ASCII characters',
  ),
  DKIM_MASTER_KEY: Type.Refine(
    secret('seals the private DKIM keys, the same for all services (make one with: openssl rand -base64 32)'),
    (key) => Buffer.from(key, 'base64').length === MASTER_KEY_BYTES,
    () => 'must be 32 octets in base64',
  ),
})

export type Config = Static<typeof schema>
