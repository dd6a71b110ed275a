/** Requests as Grafana's Prometheus data source sends them are taken, whatever else they carry. */
import type { InjectOptions } from 'fastify';
import { describe, expect, test } from 'vitest';
import { readConformance } from './conformance-data.ts';
import { houseWithLanguage } from './real-language.ts';

type GrafanaRequest = {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: string;
  readonly status: number;
  readonly answer?: { readonly status: string; readonly errorType?: string };
};

const END_SECONDS = 1761955200;
const text = readConformance('grafana-requests/requests.json');
const requests: GrafanaRequest[] =
  text === null ? [] : (JSON.parse(text) as { requests: GrafanaRequest[] }).requests;

/** `{END-300}` in seconds, `{END_MS-300}` in milliseconds. */
function fillIn(template: string): string {
  return template.replace(/\{END(_MS)?([+-]\d+)?\}/g, (_, ms?: string, shift = '0') =>
    String((ms === undefined ? END_SECONDS : END_SECONDS * 1000) + Number(shift)),
  );
}

describe.runIf(requests.length > 0)('Grafana asks', () => {
  const asked = requests.filter(({ status }) => status !== 422); // those need an engine
  test.each(asked.map((r) => [`${r.method} ${r.path} ${r.body ?? ''}`, r] as const))(
    '%s',
    async (_, { method, path, body, status, answer }) => {
      const options: InjectOptions = { method, url: fillIn(path) };
      options.headers = {
        'user-agent': 'Grafana/11.3.0',
        'accept-encoding': 'gzip',
        'x-grafana-org-id': '1',
        'x-datasource-uid': 'abc',
      };
      if (body !== undefined) {
        options.headers['content-type'] = 'application/x-www-form-urlencoded';
        options.payload = fillIn(body);
      }
      const response = await houseWithLanguage().app.inject(options);
      expect(response.statusCode).toBe(status);
      if (answer !== undefined) {
        expect(response.json()).toMatchObject({ status: answer.status });
        expect(response.json().errorType).toBe(answer.errorType);
      }
    },
  );
});
