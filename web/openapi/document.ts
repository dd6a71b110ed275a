/**
 * The description of the API, made from the routes. Source: OpenAPI Specification 3.1 and 3.2.
 * Event streams are left out of 3.1, which has no schema for their items.
 */
import type { ApiRoute, HttpMethod, OperationDoc, Parameter } from '../route.ts';
import {
  ANSWER_DATA,
  type AnswerBodyName,
  listOf,
  ref,
  type Schema,
  SCHEMAS,
  TEXT,
  TRUTH,
  WHOLE,
} from './schemas.ts';
import { type PlainValue, toYaml } from './yaml.ts';

export type OpenApiVersion = '3.1' | '3.2';

const TAGS: Readonly<Record<string, string>> = {
  query: 'Evaluate expressions.',
  metadata: 'Learn what metrics mean.',
  labels: 'List names and values of labels.',
  series: 'Find series.',
  targets: 'See what is scraped, and how it goes.',
  rules: 'See alerting and recording rules.',
  alerts: 'See active alerts and where they are sent to.',
  status: 'See how the server is set up and how it does.',
  admin: 'Change what is stored.',
  features: 'Learn what the server can do.',
  remote: 'Exchange samples with other servers.',
  otlp: 'Receive metrics from OpenTelemetry.',
  notifications: 'Hear what the server has to say about itself.',
};
const FORM_TYPE = 'application/x-www-form-urlencoded';
const ERROR_ANSWER = {
  description: 'The request failed; the body says why.',
  content: { 'application/json': { schema: ref('Error') } },
};

export function documentText(routes: readonly ApiRoute[], version: OpenApiVersion): string {
  const described = routes.filter(({ doc }) => version === '3.2' || doc.isEventStream !== true);
  return toYaml({
    openapi: `${version}.0`,
    info: {
      title: 'Narthex API',
      description: 'The HTTP API of Narthex, a monitoring server that speaks Prometheus.',
      version: 'v1',
    },
    servers: [{ url: '/api/v1' }],
    paths: pathsOf(described),
    components: { schemas: schemasOf(described) },
    tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
  });
}

function pathsOf(routes: readonly ApiRoute[]): Record<string, PlainValue> {
  const paths: Record<string, PlainValue> = {};
  for (const { path, methods, doc } of routes) {
    const operations = methods.map((method) => [
      method.toLowerCase(),
      operation(method, methods, doc),
    ]);
    const shown = path.replace(/:(\w+)/g, '{$1}');
    // Methods of a path may be different routes.
    const others = (paths[shown] ?? {}) as Readonly<Record<string, PlainValue>>;
    paths[shown] = { ...others, ...Object.fromEntries(operations) } as PlainValue;
  }
  return paths;
}

function operation(
  method: HttpMethod,
  methods: readonly HttpMethod[],
  doc: OperationDoc,
): PlainValue {
  const parameters = doc.parameters ?? [];
  // Where an operation can be had by GET as well, POST is for parameters that do not fit the URL.
  const asForm = method === 'POST' && methods.includes('GET') && parameters.length > 0;
  return {
    operationId: methods.length === 1 ? doc.id : `${method.toLowerCase()}-${doc.id}`,
    tags: [doc.tag],
    summary: doc.summary,
    parameters: asForm || parameters.length === 0 ? undefined : parameters.map(parameterObject),
    requestBody: asForm ? formBody(doc) : requestBody(doc),
    responses: { [answerCode(doc)]: answerObject(doc), default: ERROR_ANSWER },
  };
}

function parameterObject(parameter: Parameter): PlainValue {
  return {
    name: parameter.name,
    in: parameter.inPath === true ? 'path' : 'query',
    description: parameter.description,
    required: parameter.isRequired === true,
    ...(parameter.inPath === true ? {} : { explode: parameter.isRepeated === true }),
    schema: parameterSchema(parameter),
    example: parameter.isRepeated === true ? [parameter.example] : parameter.example,
  };
}

function parameterSchema(parameter: Parameter): Schema {
  const single = kindSchema(parameter);
  return parameter.isRepeated === true ? listOf(single) : single;
}

function kindSchema({ kind, choices }: Parameter): Schema {
  switch (kind) {
    case 'timestamp':
      return {
        oneOf: [
          { type: 'string', format: 'date-time' },
          { type: 'number', description: 'Seconds since the Unix epoch.' },
        ],
      };
    case 'duration':
      return {
        oneOf: [
          { type: 'string', description: 'Such as `1h30m`: y, w, d, h, m, s, ms.' },
          { type: 'number', description: 'Seconds.' },
        ],
      };
    case 'integer':
      return WHOLE;
    case 'number':
      return { type: 'number' };
    case 'boolean':
      return TRUTH;
    case 'text':
    case 'selector':
    case 'labels':
      return choices === undefined ? TEXT : { ...TEXT, enum: choices };
  }
}

function formBody(doc: OperationDoc): PlainValue {
  return {
    required: true,
    content: { [FORM_TYPE]: { schema: ref(`${inputName(doc)}PostInputBody`) } },
  };
}

function requestBody({ requestType }: OperationDoc): PlainValue {
  if (requestType === undefined) return undefined;
  return {
    required: true,
    content: { [requestType]: { schema: { type: 'string', format: 'binary' } } },
  };
}

function answerCode({ body, answerType }: OperationDoc): string {
  return body === undefined && answerType === undefined ? '204' : '200';
}

function answerObject(doc: OperationDoc): PlainValue {
  const { body, answerType } = doc;
  if (doc.isEventStream === true) {
    const data = {
      ...TEXT,
      contentMediaType: 'application/json',
      contentSchema: ref('Notification'),
    };
    const itemSchema = { type: 'object', properties: { data }, required: ['data'] };
    return { description: 'Events.', content: { 'text/event-stream': { itemSchema } } };
  }
  if (answerType !== undefined) {
    return { description: doc.summary, content: { [answerType]: { schema: TEXT } } };
  }
  if (body === undefined) return { description: 'Done.' };
  const schema = ref(`${body}OutputBody`);
  return { description: doc.summary, content: { 'application/json': { schema } } };
}

function schemasOf(routes: readonly ApiRoute[]): Record<string, Schema> {
  const schemas: Record<string, Schema> = { ...SCHEMAS };
  for (const { methods, doc } of routes) {
    if (doc.body !== undefined) schemas[`${doc.body}OutputBody`] = envelope(doc.body);
    const parameters = doc.parameters ?? [];
    if (methods.includes('GET') && methods.includes('POST') && parameters.length > 0) {
      schemas[`${inputName(doc)}PostInputBody`] = formSchema(parameters);
    }
  }
  return schemas;
}

function envelope(body: AnswerBodyName): Schema {
  return {
    type: 'object',
    properties: {
      status: { type: 'string', enum: ['success'] },
      data: ANSWER_DATA[body],
      warnings: { ...listOf(TEXT), description: 'What may be wrong with the data.' },
      infos: { ...listOf(TEXT), description: 'What may be worth knowing about the query.' },
    },
    required: ['status', 'data'],
    additionalProperties: false,
  };
}

function formSchema(parameters: readonly Parameter[]): Schema {
  const properties = parameters.map((parameter) => [
    parameter.name,
    { ...parameterSchema(parameter), description: parameter.description },
  ]);
  const required = parameters.filter((parameter) => parameter.isRequired === true);
  return {
    type: 'object',
    properties: Object.fromEntries(properties) as PlainValue,
    ...(required.length > 0 ? { required: required.map(({ name }) => name) } : {}),
    additionalProperties: false,
  };
}

function inputName({ id, body }: OperationDoc): string {
  return body ?? id.replace(/(?:^|-)(\w)/g, (_, first: string) => first.toUpperCase());
}
