/** Bodies that real servers sent: a scrape of a counter with an exemplar, and two gauges. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { RemoteStore } from './support/store.ts';

/** When they were sent. */
const SENT_MS = Date.UTC(2026, 10, 21, 14);

function body(file: string): Uint8Array {
  const text = readFileSync(path.join(import.meta.dirname, 'data', `${file}.base64`), 'utf8');
  return new Uint8Array(Buffer.from(text, 'base64'));
}

let store: RemoteStore;
beforeEach(() => (store = new RemoteStore({}, SENT_MS)));
afterEach(() => store.remove());

test('Prometheus 2.42, version 1.0', () => {
  expect(store.receiver.write(1, body('prometheus-2.42-write-v1'))).toEqual({
    samplesWritten: 8,
    histogramsWritten: 0,
    exemplarsWritten: 1,
    rejection: null,
  });
  const labels = 'instance="127.0.0.1:43795", job="j"';
  const at = 1_795_269_271_489;
  expect(store.stored()).toEqual({
    [`{__name__="a_total", ${labels}, x="1"}`]: [[at, 3]],
    [`{__name__="g", a="1", b="ä", ${labels}}`]: [[at, -1.5]],
    [`{__name__="g", a="2", b="nan", ${labels}}`]: [[at, NaN]],
    [`{__name__="scrape_duration_seconds", ${labels}}`]: [[at, 0.030618355]],
    [`{__name__="scrape_samples_post_metric_relabeling", ${labels}}`]: [[at, 3]],
    [`{__name__="scrape_samples_scraped", ${labels}}`]: [[at, 3]],
    [`{__name__="scrape_series_added", ${labels}}`]: [[at, 3]],
    [`{__name__="up", ${labels}}`]: [[at, 1]],
  });
  expect(store.exemplars).toEqual([
    { series: `{__name__="a_total", ${labels}, x="1"}`, labels: '{trace_id="abc"}', value: 0.5 },
  ]);
});

test('Prometheus 2.42, metadata of version 1.0', () => {
  expect(store.receiver.write(1, body('prometheus-2.42-metadata-v1'))).toMatchObject({
    samplesWritten: 0,
    rejection: null,
  });
  expect(store.seriesCount).toBe(0);
});

test('Prometheus 3.14, version 2.0', () => {
  expect(store.receiver.write(2, body('prometheus-3.14-write-v2'))).toEqual({
    samplesWritten: 16,
    histogramsWritten: 0,
    exemplarsWritten: 1,
    rejection: null,
  });
  const labels = 'instance="127.0.0.1:42481", job="j"';
  expect(store.stored('g', '=')).toEqual({
    [`{__name__="g", a="1", b="ä", ${labels}}`]: [
      [1_795_269_281_398, -1.5],
      [1_795_269_281_698, -1.5],
    ],
    [`{__name__="g", a="2", b="nan", ${labels}}`]: [
      [1_795_269_281_398, NaN],
      [1_795_269_281_698, NaN],
    ],
  });
  expect(store.exemplars).toHaveLength(1);
  expect(store.seriesCount).toBe(8);
});
