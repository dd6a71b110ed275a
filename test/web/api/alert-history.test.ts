import { describe, expect, test } from 'vitest';
import type { AlertHistoryEntry, AlertHistoryRequest, PlainMatcher } from '../../../web/index.ts';
import { fakeHouse } from '../fake-house.ts';

const ENTRY: AlertHistoryEntry = {
  id: 7,
  fingerprint: 'abc',
  atMs: 1_800_000_000_000,
  rule: 'Down',
  group: 'g',
  file: 'rules.yml',
  query: 'up == 0',
  from: 'pending',
  to: 'firing',
  activeAtMs: 1_799_999_990_000,
  value: 12.5,
  labels: { alertname: 'Down' },
  annotations: {},
  samples: [{ selector: 'up', seriesCount: 1, samples: [{ labels: { job: 'a' }, value: '0' }] }],
  deliveries: [
    { atMs: 1_800_000_000_500, url: 'http://am', error: 'refused' },
    { atMs: 1_800_000_001_000, url: 'http://am', error: null },
  ],
};
const matcher: PlainMatcher = { name: 'severity', operator: '=', value: 'page' };

function house(nextToken: number | null = null) {
  const requests: AlertHistoryRequest[] = [];
  const { app } = fakeHouse({
    alertHistory: {
      page: async (request) => {
        requests.push(request);
        return { entries: [ENTRY], nextToken };
      },
    },
    language: {
      format: async (query) => query,
      parse: async () => new Uint8Array(),
      selectors: async (texts) => texts.map(() => [matcher]),
    },
  });
  return { app, requests };
}

describe('/alerts/history', () => {
  test('shows changes, values with an exponent, and who was told', async () => {
    const { app } = house(7);
    const response = await app.inject('/api/v1/alerts/history');
    expect(response.json()).toEqual({
      status: 'success',
      data: {
        entries: [
          {
            id: '7',
            at: '2027-01-15T08:00:00Z',
            from: 'pending',
            to: 'firing',
            fingerprint: 'abc',
            labels: { alertname: 'Down' },
            annotations: {},
            value: '1.25e+01',
            activeAt: '2027-01-15T07:59:50Z',
            rule: 'Down',
            group: 'g',
            file: 'rules.yml',
            query: 'up == 0',
            samples: [
              { selector: 'up', seriesCount: 1, samples: [{ labels: { job: 'a' }, value: '0' }] },
            ],
            deliveries: [
              { at: '2027-01-15T08:00:00.5Z', url: 'http://am', error: 'refused' },
              { at: '2027-01-15T08:00:01Z', url: 'http://am' },
            ],
          },
        ],
        nextToken: '7',
      },
    });
  });

  test('passes on what is asked for', async () => {
    const { app, requests } = house();
    const query = new URLSearchParams([
      ['alertname', 'Down'],
      ['fingerprint', 'abc'],
      ['state[]', 'firing'],
      ['state[]', 'inactive'],
      ['match[]', '{severity="page"}'],
      ['start', '10'],
      ['end', '20'],
      ['limit', '5'],
      ['next_token', '42'],
    ]);
    const response = await app.inject(`/api/v1/alerts/history?${query.toString()}`);
    expect(response.json()).not.toHaveProperty('data.nextToken');
    expect(requests).toEqual([
      {
        minMs: 10_000,
        maxMs: 20_000,
        alertName: 'Down',
        fingerprint: 'abc',
        states: ['firing', 'inactive'],
        matcherSets: [[matcher]],
        id: null,
        limit: 5,
        beforeId: 42,
      },
    ]);
  });

  test.each(['state[]=burning', 'limit=0', 'limit=10001', 'limit=x', 'next_token=x', 'start=x'])(
    'refuses %s',
    async (query) => {
      const { app, requests } = house();
      const response = await app.inject(`/api/v1/alerts/history?${query}`);
      expect(response.statusCode).toBe(400);
      expect(response.json()).toMatchObject({ status: 'error', errorType: 'bad_data' });
      expect(requests).toEqual([]);
    },
  );
});
