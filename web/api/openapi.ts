import { documentText, type OpenApiVersion } from '../openapi/document.ts';
import { sendBody } from '../respond.ts';
import type { ApiRoute, RawRoute } from '../route.ts';

/** GET /api/v1/openapi.yaml: the description of these routes, made once per version when asked for. */
export function openApi(routes: () => readonly ApiRoute[]): RawRoute {
  const texts = new Map<OpenApiVersion, string>();
  return {
    path: '/openapi.yaml',
    methods: ['GET'],
    doc: {
      id: 'openapi',
      tag: 'features',
      summary: 'Describe this API',
      parameters: [
        {
          name: 'openapi_version',
          kind: 'text',
          description: '3.1 (default), or 3.2, which can describe event streams as well.',
          choices: ['3.1', '3.2'],
          example: '3.2',
        },
      ],
      answerType: 'application/yaml',
    },
    inAgentMode: true,
    answer({ form, request, reply }) {
      const asked = form.first('openapi_version');
      const version = asked.startsWith('3.2') ? '3.2' : '3.1';
      let text = texts.get(version);
      if (text === undefined) texts.set(version, (text = documentText(routes(), version)));
      reply.header('cache-control', 'no-cache, no-store, must-revalidate');
      return sendBody(request, reply, 'application/yaml; charset=utf-8', text);
    },
  };
}
