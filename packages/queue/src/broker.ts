// What a service opens to take part in the exchange of mail: a publisher, and the means to consume.
import type { Service } from '@sekimori/runtime/service'
import { openPublisher, type Publisher } from './publisher.ts'

interface BrokerSettings {
  AMQP_URL: string
  PUBLISH_TIMEOUT_MS: number
}

export interface Broker extends AsyncDisposable {
  url: string
  service: Service
  publisher: Publisher
}

/** Connects to RabbitMQ. Resolves before the broker is reached; `/readyz` tells when it is. */
export async function openBroker(settings: BrokerSettings, service: Service): Promise<Broker> {
  const { log, dependencies, name } = service
  const publisher = await openPublisher({
    url: settings.AMQP_URL,
    name: `${name} publisher`,
    log,
    dependencies,
    timeoutMs: settings.PUBLISH_TIMEOUT_MS,
  })
  return { url: settings.AMQP_URL, service, publisher, [Symbol.asyncDispose]: () => publisher[Symbol.asyncDispose]() }
}
