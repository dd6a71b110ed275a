import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  type AlertData,
  AlertTemplate,
  GoText,
  TemplateError,
  templateSample,
} from '../../../../src/rules/template/index.ts';

/** Asked of a running Prometheus 3.14 with the data of this test. */
type Recorded = {
  readonly template: string;
  readonly text?: string;
  readonly refused?: string;
};
const recorded = JSON.parse(
  readFileSync(path.join(import.meta.dirname, 'outputs-3.14.json'), 'utf8'),
) as Recorded[];

const DATA: AlertData = {
  labels: { instance: 'a.b.c:9090', job: 'x y' },
  externalLabels: { ext: 'e1' },
  externalUrl: 'http://h:9/pre',
  pathPrefix: '/pre',
  value: 2.5,
  nowMs: 60_000,
};
const ANSWERS = {
  up: [templateSample({ __name__: 'up', instance: 'a.b.c:9090', job: 'x y' }, 1)],
  m: [templateSample({ __name__: 'm', z: '2' }, 5), templateSample({ __name__: 'm', z: '10' }, 7)],
  none: [],
};

function expand(text: string, data: Partial<AlertData> = {}): Promise<string> {
  return new AlertTemplate('T', text).expand({ ...DATA, ...data }, async (query) => {
    if (Object.hasOwn(ANSWERS, query)) return ANSWERS[query as keyof typeof ANSWERS];
    throw new TemplateError(`no data for ${query}`);
  });
}

describe('a template gives what Prometheus 3.14 gives', () => {
  const expanded = recorded.filter(({ text }) => text !== undefined);

  test('for enough of them', () => expect(expanded.length).toBeGreaterThan(90));

  test.each(expanded)('$template', async ({ template, text }) => {
    const ours = await expand(template).catch(
      (error: Error) => `<error expanding template: ${error.message}>`,
    );
    expect(ours).toBe(text);
  });
});

describe('a template is refused in the words of Prometheus 3.14', () => {
  test.each(recorded.filter(({ refused }) => refused !== undefined))('$template', (entry) => {
    expect(() => new AlertTemplate('T', entry.template)).toThrow(
      expect.objectContaining({ name: 'TemplateError', message: entry.refused }),
    );
  });
});

describe('a template', () => {
  test('knows where the server is', async () => {
    const text = '{{ $externalURL }} {{ externalURL }} {{ pathPrefix }}';
    expect(await expand(text)).toBe('http://h:9/pre http://h:9/pre /pre');
  });

  test('without actions is left alone', async () => {
    expect(await expand('50 % of }} it')).toBe('50 % of }} it');
    expect(new AlertTemplate('T', 'plain').isPlain).toBe(true);
  });

  test('names the line of a mistake', () => {
    expect(() => new AlertTemplate('T', 'a\nb {{ .x | }')).toThrow('template: __alert_T:2:');
  });

  test('shows a native histogram as text', async () => {
    expect(await expand('{{ $value }}', { value: new GoText('{count:1}') })).toBe('{count:1}');
  });

  test('asks each query once, however often it is used', async () => {
    let count = 0;
    const template = new AlertTemplate('T', '{{ query "a" }}{{ query "a" | len }}{{ query "b" }}');
    await template.expand(DATA, async () => {
      count++;
      return [];
    });
    expect(count).toBe(2);
  });

  test('says which query failed, and where', async () => {
    await expect(expand('{{ query "other" }}')).rejects.toThrow(
      'executing "__alert_T" at <query "other">: error calling query: no data for other',
    );
  });

  test('that calls itself without end is stopped', async () => {
    await expect(
      expand('{{ define "a" }}{{ template "a" }}{{ end }}{{ template "a" }}'),
    ).rejects.toThrow('exceeded maximum template depth');
  });
});
