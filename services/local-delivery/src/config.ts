// Settings of local delivery.
import { brokerSettings, databaseSettings, processSettings, stageSettings } from '@sekimori/config/settings'
import Type, { type Static } from 'typebox'

export const schema = Type.Object({ ...processSettings, ...databaseSettings, ...brokerSettings, ...stageSettings })

export type Config = Static<typeof schema>
