import { namingParameter } from '../params.ts';
import { successJson } from '../respond.ts';
import type { JsonRoute } from '../route.ts';
import { QUERY } from './parameters.ts';

/** GET, POST /api/v1/format_query. Source: Prometheus HTTP API, formatting query expressions. */
export const formatQuery: JsonRoute = {
  path: '/format_query',
  methods: ['GET', 'POST'],
  doc: {
    id: 'format-query',
    tag: 'query',
    summary: 'Lay out an expression for reading',
    parameters: [QUERY],
    body: 'FormatQuery',
  },
  async handle({ form, signal }, { ports }) {
    const formatting = ports.language.format(form.first('query'), signal);
    return successJson(JSON.stringify(await namingParameter('query', formatting)));
  },
};

/** GET, POST /api/v1/parse_query: the syntax tree. Source: the same page. */
export const parseQuery: JsonRoute = {
  path: '/parse_query',
  methods: ['GET', 'POST'],
  doc: {
    id: 'parse-query',
    tag: 'query',
    summary: 'Parse an expression into its syntax tree',
    parameters: [QUERY],
    body: 'ParseQuery',
  },
  async handle({ form, signal }, { ports }) {
    const parsing = ports.language.parse(form.first('query'), signal);
    const tree = await namingParameter('query', parsing);
    return successJson(Buffer.from(tree).toString());
  },
};
