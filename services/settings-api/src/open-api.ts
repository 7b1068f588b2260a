// The head of the OpenAPI description; the operations come from the routes' schemas.
import type { FastifyDynamicSwaggerOptions } from '@fastify/swagger'

export const openApi: FastifyDynamicSwaggerOptions = {
  openapi: {
    openapi: '3.1.0',
    info: {
      title: 'Sekimori settings API',
      version: '1',
      description: [
        { name: 'warning suspensions' },
        { name: 'signatures' },
        'Every call needs `Authorization: Bearer <ADMIN_API_KEY>`; some take a token of `/v1/tokens` as well and answer what it may see. Errors are problem details (RFC 9457, `application/problem+json`) with English and Japanese texts.',
        'An address in a path may be percent-encoded UTF-8. Listings come in pages: pass `nextCursor` as `cursor` until it is absent.',
      ].join('\n\n'),
    },
    components: { securitySchemes: { operator: { type: 'http', scheme: 'bearer' } } },
    security: [{ operator: [] }],
    tags: [
      { name: 'domains' },
      { name: 'dns' },
      { name: 'accounts' },
      { name: 'aliases' },
      { name: 'lists' },
      { name: 'quarantine' },
      { name: 'messages' },
      { name: 'tokens' },
      { name: 'deferred mail' },
      { name: 'destinations' },
      { name: 'warning suspensions' },
      { name: 'signatures' },
    ],
  },
  refResolver: { buildLocalReference: (json, _base, _fragment, i) => String(json.$id ?? `schema-${i}`) },
}
