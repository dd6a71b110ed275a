/** Bodies of the conformance suite: same verdict, same error text, same series as Prometheus 3.14. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { formatFloat, Labels } from '../../../model/index.ts';
import { conformancePath } from '../../support/conformance.ts';
import { FedTarget } from '../support/scrape-once.ts';

type Case = {
  file: string;
  format: 'openmetrics' | 'text';
  server: {
    verdict: 'accept' | 'reject';
    error?: string;
    samples: number;
    series?: { metric: Record<string, string>; value: string }[];
  };
};

const folder = conformancePath('exposition');

describe.skipIf(folder === null)('exposition', () => {
  const cases =
    folder === null
      ? []
      : (JSON.parse(readFileSync(path.join(folder, 'manifest.json'), 'utf8')) as Case[]);

  test.each(cases)('$file', ({ file, format, server }) => {
    const target = new FedTarget({ honorTimestamps: false });
    const error = target.scrape(readFileSync(path.join(folder!, file)), format);
    expect(error).toBe(server.error ?? '');
    if (server.verdict === 'reject') {
      expect(target.storage.all().filter(({ samples }) => samples.length > 0)).toEqual([]);
      return;
    }
    const stored = target.storage.newest();
    expect(stored.size).toBe(server.samples);
    if (server.series === undefined) return;
    const expected = server.series.map(
      ({ metric, value }) => `${Labels.fromObject(metric).toString()} ${value}`,
    );
    // The material leaves out the labels that its scrape added.
    const added = new Set(['job', 'instance']);
    const actual = target.storage.all().map(({ labels }) => {
      const value = formatFloat(stored.get(labels.toString()) as number);
      return `${labels.drop(added).toString()} ${value}`;
    });
    expect(actual.sort()).toEqual(expected.sort());
  });
});
