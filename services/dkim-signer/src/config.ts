// Settings of the DKIM signer.
import { duration, parseDuration } from '@sekimori/config/duration'
import { brokerSettings, databaseSettings, processSettings, secret, stageSettings } from '@sekimori/config/settings'
import { dnsSettings } from '@sekimori/dns/settings'
import { isMasterKeys } from '@sekimori/store/seal'
import Type, { type Static } from 'typebox'

export const schema = Type.Object({
  ...processSettings,
  ...databaseSettings,
  ...brokerSettings,
  ...stageSettings,
  ...dnsSettings,
  DKIM_MASTER_KEY: Type.Refine(
    secret('32 octets in base64 that open the private keys; several, by commas: the first seals'),
    isMasterKeys,
    () => 'must be 32 octets in base64, or several such keys separated by commas',
  ),
  DKIM_ROTATION_INTERVAL: Type.Refine(
    Type.String({ default: '90d', description: 'age of a signing key at which the next one is made; "off": never' }),
    (text) => text === 'off' || parseDuration(text) !== undefined,
    () => 'must be a duration such as 90d, or "off"',
  ),
  DKIM_SETTLE_TIME: duration('1h', 'how long DNS must have shown a new key before it signs; at least the negative TTL'),
  DKIM_RETIRE_AFTER: duration('7d', 'how long an old key stays published: longer than RETRY_LIFETIME'),
  DKIM_POLL_INTERVAL: duration('1m', 'how often keys are looked for whose next look is due'),
})

export type Config = Static<typeof schema>
