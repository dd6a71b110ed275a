import { describe, expect, test } from 'vitest';
import type {
  AlertTimelineRequest,
  ExpressionPart,
  RuleCheck,
  WhyReport,
  WhyRequest,
} from '../../../web/index.ts';
import { fakeHouse } from '../fake-house.ts';

const PART: ExpressionPart = {
  text: 'upp',
  start: 0,
  end: 3,
  kind: 'VectorSelector',
  type: 'vector',
  count: 0,
  relatedCount: 0,
  rows: [],
  error: null,
  selector: {
    selector: 'upp',
    seriesCount: 0,
    problem: {
      kind: 'metric',
      text: 'there is no metric upp; the nearest one is up',
      nearestMetric: 'up',
      matcher: null,
      otherValues: [],
    },
  },
  reason: 'upp finds nothing',
  children: [],
};
const REPORT: WhyReport = {
  query: 'upp',
  timeMs: 1_800_000_000_000,
  labels: { instance: 'a' },
  rule: null,
  state: 'pending',
  verdict: 'The condition does not hold',
  event: null,
  root: PART,
  reason: 'upp finds nothing',
};
const CHECK = (name: string, isSilent: boolean): RuleCheck => ({
  group: 'g',
  file: 'f',
  name,
  type: 'alerting',
  query: 'upp',
  selectors: [
    {
      selector: 'upp',
      seriesCount: isSilent ? 0 : 3,
      problem: isSilent ? PART.selector!.problem : null,
    },
  ],
});

function house() {
  const asked: WhyRequest[] = [];
  const timelines: AlertTimelineRequest[] = [];
  const { app } = fakeHouse({
    alertInsight: {
      why: async (request) => {
        asked.push(request);
        return REPORT;
      },
      quarantined: () => [],
      checkRules: async () => [CHECK('Good', false), CHECK('Silent', true)],
    },
    alertHistory: {
      page: async () => ({ entries: [], nextToken: null }),
      timelines: async (request) => {
        timelines.push(request);
        const span = { startMs: 1_800_000_000_000, endMs: null, value: 1, eventId: 4 } as const;
        const before = { state: 'pending', startMs: null, value: null, eventId: null } as const;
        return {
          alerts: [
            {
              fingerprint: 'abc',
              rule: 'Down',
              group: 'g',
              file: 'f',
              query: 'up == 0',
              labels: { alertname: 'Down' },
              annotations: {},
              isActive: true,
              spans: [
                { ...before, endMs: 1_800_000_000_000 },
                { ...span, state: 'firing' },
              ],
            },
          ],
          isCut: false,
        };
      },
    },
  });
  const get = (route: string) => app.inject(`/api/v1/${route}`);
  return { get, asked, timelines };
}

describe('/alerts/why', () => {
  test('shows the verdict and the parts', async () => {
    const { get } = house();
    const { data } = (await get('alerts/why?alertname=Down')).json();
    expect(data).toMatchObject({
      verdict: 'The condition does not hold',
      time: '2027-01-15T08:00:00Z',
      state: 'pending',
      root: { text: 'upp', reason: 'upp finds nothing', selector: PART.selector, children: [] },
    });
    expect(data).not.toHaveProperty('event');
    expect(data.root).not.toHaveProperty('error');
  });

  test('asks about a rule, an entry or an expression', async () => {
    const { get, asked } = house();
    await get('alerts/why?alertname=Down&rule_group=g&time=10&labels={"instance":"a"}');
    await get('alerts/why?event=17');
    await get('alerts/why?query=up');
    const none = { eventId: null, rule: null, query: null, timeMs: null, labels: null };
    expect(asked).toEqual([
      {
        ...none,
        rule: { name: 'Down', group: 'g', file: '' },
        timeMs: 10_000,
        labels: { instance: 'a' },
      },
      { ...none, eventId: 17 },
      { ...none, query: 'up' },
    ]);
  });

  test.each([
    ['', 'give one of alertname, event and query'],
    ['query=up&event=1', 'give one of'],
    ['event=x', 'invalid syntax'],
    ['query=up&labels=[]', 'not a JSON object'],
    ['query=up&labels={"a":1}', 'not a JSON object of texts'],
    ['query=up&time=x', 'cannot parse'],
  ])('refuses %s', async (parameters, message) => {
    const response = await house().get(`alerts/why?${parameters}`);
    expect(response.statusCode).toBe(400);
    expect(response.json().error).toContain(message);
  });
});

test('/rules/check shows all rules, or those with a silent selector', async () => {
  const { get } = house();
  const names = async (route: string) =>
    (await get(route)).json().data.rules.map(({ name }: RuleCheck) => name);
  expect(await names('rules/check')).toEqual(['Good', 'Silent']);
  expect(await names('rules/check?silent=true')).toEqual(['Silent']);
});

test('/alerts/timeline shows spans, and leaves out what nobody knows', async () => {
  const { get, timelines } = house();
  const response = await get('alerts/timeline?start=1&end=2&alertname=Down&limit=3');
  expect(response.json().data.alerts[0].spans).toEqual([
    { state: 'pending', end: '2027-01-15T08:00:00Z' },
    { state: 'firing', start: '2027-01-15T08:00:00Z', value: '1e+00', event: '4' },
  ]);
  expect(timelines).toEqual([
    { minMs: 1000, maxMs: 2000, alertName: 'Down', fingerprint: '', matcherSets: [], limit: 3 },
  ]);
  expect((await get('alerts/timeline?limit=0')).statusCode).toBe(400);
});
