/**
 * The templates of alert labels and annotations: Go's text/template with Prometheus's functions.
 * Executing is synchronous; a query that a template asks stops it, is answered, and the template is
 * executed anew with the answer at hand.
 */
import { executeTemplate, Interruption } from './execute.ts';
import { FUNCTION_NAMES, templateFunctions } from './functions.ts';
import { type ParsedTemplate, parseTemplate } from './parser.ts';
import { CallError, GoStruct, TemplateError, TextMap, type Value } from './values.ts';

export { templateSample } from './functions.ts';
export { GoText, type GoStruct, TemplateError, type Value } from './values.ts';

/** Makes the short names available. Its length shows in the columns of error messages. */
const PRELUDE =
  '{{$labels := .Labels}}{{$externalLabels := .ExternalLabels}}{{$externalURL := .ExternalURL}}{{$value := .Value}}';
/** A template that asks more is not worth the time of the others. */
const QUERY_COUNT_MAX = 1000;

export type AlertData = {
  readonly labels: Readonly<Record<string, string>>;
  readonly externalLabels: Readonly<Record<string, string>>;
  readonly externalUrl: string;
  readonly pathPrefix: string;
  readonly value: Value;
  readonly nowMs: number;
};

export type QuerySamples = (query: string) => Promise<readonly GoStruct[]>;

class NeedsQuery extends Interruption {
  readonly query: string;
  constructor(query: string) {
    super('a query has to be answered first');
    this.query = query;
  }
}

/** One label or annotation. */
export class AlertTemplate {
  readonly #name: string;
  /** Null for a text without actions. */
  readonly #parsed: ParsedTemplate | null;
  readonly #text: string;

  /** @throws TemplateError */
  constructor(alertName: string, text: string) {
    this.#name = `__alert_${alertName}`;
    this.#text = text;
    this.#parsed = text.includes('{{')
      ? parseTemplate(this.#name, PRELUDE + text, FUNCTION_NAMES)
      : null;
  }

  get isPlain(): boolean {
    return this.#parsed === null;
  }

  /** @throws TemplateError */
  async expand(data: AlertData, ask: QuerySamples): Promise<string> {
    if (this.#parsed === null) return this.#text;
    const answers = new Map<string, readonly GoStruct[] | CallError>();
    const functions = templateFunctions({
      nowMs: data.nowMs,
      externalUrl: data.externalUrl,
      pathPrefix: data.pathPrefix,
      query: (query) => {
        const answer = answers.get(query);
        if (answer === undefined) throw new NeedsQuery(query);
        if (answer instanceof CallError) throw answer;
        return answer;
      },
    });
    const dot = new GoStruct(
      'struct { Labels map[string]string; ExternalLabels map[string]string; ExternalURL string; Value interface {} }',
      {
        Labels: new TextMap(Object.entries(data.labels)),
        ExternalLabels: new TextMap(Object.entries(data.externalLabels)),
        ExternalURL: data.externalUrl,
        Value: data.value,
      },
    );
    for (;;) {
      try {
        return executeTemplate(this.#parsed, functions, dot);
      } catch (error) {
        if (error instanceof TemplateError) {
          const what = `error executing template ${this.#name}: ${error.message}`;
          throw new TemplateError(what, { cause: error });
        }
        if (!(error instanceof NeedsQuery)) throw error;
        answers.set(error.query, await answered(error.query, ask, answers.size));
      }
    }
  }
}

async function answered(
  query: string,
  ask: QuerySamples,
  count: number,
): Promise<readonly GoStruct[] | CallError> {
  if (count >= QUERY_COUNT_MAX) return new CallError(`more than ${QUERY_COUNT_MAX} queries`);
  try {
    return await ask(query);
  } catch (error) {
    if (error instanceof Error) return new CallError(error.message);
    throw error;
  }
}
