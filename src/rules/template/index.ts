/**
 * The templates of alert labels and annotations: Go's text/template with Prometheus's functions.
 * Executing is synchronous; a query that a template asks stops it, is answered, and the template is
 * executed anew with the answer at hand.
 */
import { define } from './builtins.ts';
import { executeTemplate, Interruption, type OutputWriter } from './execute.ts';
import { FUNCTION_NAMES, templateFunctions } from './functions.ts';
import { type ParsedTemplate, parseTemplate } from './parser.ts';
import { CallError, GoStruct, SafeHtml, TemplateError, TextMap, type Value } from './values.ts';

export { templateSample } from './functions.ts';
export {
  GoDuration,
  GoInt,
  GoStruct,
  GoText,
  GoTime,
  SafeHtml,
  TemplateError,
  TextMap,
  type Value,
} from './values.ts';

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
    const parsed = this.#parsed;
    if (parsed === null) return this.#text;
    const dot = new GoStruct(
      'struct { Labels map[string]string; ExternalLabels map[string]string; ExternalURL string; Value interface {} }',
      {
        Labels: new TextMap(Object.entries(data.labels)),
        ExternalLabels: new TextMap(Object.entries(data.externalLabels)),
        ExternalURL: data.externalUrl,
        Value: data.value,
      },
    );
    return expandAsking(this.#name, data, ask, (functions) =>
      executeTemplate(parsed, functions, dot),
    );
  }
}

/** A page of its own, with the templates that libraries define. */
export class PageTemplate {
  readonly #parsed: ParsedTemplate;

  /**
   * @param libraries  names and texts
   * @throws TemplateError
   */
  constructor(
    name: string,
    text: string,
    libraries: readonly (readonly [name: string, text: string])[],
  ) {
    const functions = new Set([...FUNCTION_NAMES, 'tmpl']);
    try {
      const page = parseTemplate(name, text, functions);
      const trees = new Map(
        libraries.flatMap(([file, library]) => [...parseTemplate(file, library, functions).trees]),
      );
      for (const [defined, tree] of page.trees) trees.set(defined, tree);
      this.#parsed = { ...page, trees };
    } catch (error) {
      if (!(error instanceof TemplateError)) throw error;
      const what = `error parsing template ${name}: ${error.message}`;
      throw new TemplateError(what, { cause: error });
    }
  }

  /**
   * @param newWriter  called for every attempt
   * @throws TemplateError
   */
  expand(
    dot: GoStruct,
    setting: ExpandSetting,
    ask: QuerySamples,
    newWriter: () => OutputWriter,
  ): Promise<string> {
    return expandAsking(this.#parsed.name, setting, ask, (functions) => {
      functions.set(
        'safeHtml',
        define(['string'], ([text]) => new SafeHtml(text as string)),
      );
      functions.set(
        'tmpl',
        define(['any'], () => null, 'any'),
      );
      return executeTemplate(this.#parsed, functions, dot, newWriter());
    });
  }
}

type ExpandSetting = {
  readonly nowMs: number;
  readonly externalUrl: string;
  readonly pathPrefix: string;
};

/** Executes until every query that is asked has its answer. */
async function expandAsking(
  name: string,
  { nowMs, externalUrl, pathPrefix }: ExpandSetting,
  ask: QuerySamples,
  execute: (functions: ReturnType<typeof templateFunctions>) => string,
): Promise<string> {
  const answers = new Map<string, readonly GoStruct[] | CallError>();
  const query = (text: string) => {
    const answer = answers.get(text);
    if (answer === undefined) throw new NeedsQuery(text);
    if (answer instanceof CallError) throw answer;
    return answer;
  };
  const functions = templateFunctions({ nowMs, externalUrl, pathPrefix, query });
  for (;;) {
    try {
      return execute(functions);
    } catch (error) {
      if (error instanceof TemplateError) {
        const what = `error executing template ${name}: ${error.message}`;
        throw new TemplateError(what, { cause: error });
      }
      if (!(error instanceof NeedsQuery)) throw error;
      answers.set(error.query, await answered(error.query, ask, answers.size));
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
