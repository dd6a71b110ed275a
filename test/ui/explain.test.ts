import { describe, expect, test } from 'vitest';
import { explainSteps, type Step } from '../../web/ui/pages/query/explain/explain-steps.ts';
import { functionMeaning } from '../../web/ui/pages/query/explain/function-meanings.ts';
import { labelSummary } from '../../web/ui/pages/query/explain/label-summary.ts';

const flat = (step: Step): Step[] => [step, ...step.inputs.flatMap(flat)];

describe('explaining an expression', () => {
  test('takes it apart from the outside in, and probes ranges without their range', () => {
    const steps = flat(explainSteps('topk(3, sum by (job) (rate(x{a="b"}[5m])))')!);
    expect(steps.map(({ expr, probe }) => [expr, probe === expr ? 'itself' : probe])).toEqual([
      ['topk(3, sum by (job) (rate(x{a="b"}[5m])))', 'itself'],
      ['sum by (job) (rate(x{a="b"}[5m]))', 'itself'],
      ['rate(x{a="b"}[5m])', 'itself'],
      ['x{a="b"}[5m]', 'x{a="b"}'],
    ]);
    expect(steps.map(({ meaning }) => meaning)).toEqual([
      'Keeps the 3 largest series.',
      'Adds up series that have the same job.',
      functionMeaning('rate'),
      'Series of x whose a is "b", all their samples of the last 5m.',
    ]);
  });

  test.each([
    ['up', 'Series of up, their newest value.'],
    [
      '{job=~"a|b", zone!="x"}',
      'All series whose job matches "a|b" and zone is not "x", their newest value.',
    ],
    ['{"my.metric", a="1"}', 'Series of "my.metric" whose a is "1", their newest value.'],
    ['up offset 1h', 'Series of up, their newest value, as it was 1h earlier.'],
    ['sum(up)', 'Adds up all series together.'],
    ['sum by () (up)', 'Adds up all series together.'],
    ['avg without (instance) (up)', 'Averages series that differ only in instance.'],
    ['max(up) by (job , zone)', 'Takes the largest of series that have the same job, zone.'],
    ['topk by (job) (2, up)', 'Keeps the 2 largest series for each job.'],
    ['quantile(0.9, up)', 'Takes the 0.9 quantile of all series together.'],
    ['-up', 'Changes the sign.'],
    ['a / b', 'Divides the left side by the right, pairing series with the same labels.'],
    ['a / 2', 'Divides the left side by the right.'],
    [
      'a / on(b) group_left(c) d',
      'Divides the left side by the right, pairing series with the same b, where many on the left may share one on the right.',
    ],
    [
      'a * ignoring(x) b',
      'Multiplies both sides, pairing series with the same labels apart from x.',
    ],
    ['up == 0', 'Keeps values of the left side that are equal to the right.'],
    ['up >= bool 1', '1 where the left side is at least the right, 0 where not.'],
    [
      'a and on() b',
      'Keeps series of the left side that also exist on the right, pairing whatever there is.',
    ],
    ['max_over_time(up[1h:5m])', functionMeaning('max_over_time')],
    ['sin(up)', 'The sin of the value, in radians.'],
  ])('%s', (expr, meaning) => {
    expect(explainSteps(expr)!.meaning).toBe(meaning);
  });

  test('a subquery is a step that is probed as what it evaluates', () => {
    const [subquery] = explainSteps('max_over_time(rate(a[1m])[1h:5m])')!.inputs;
    expect(subquery).toMatchObject({
      expr: 'rate(a[1m])[1h:5m]',
      meaning: 'Evaluates it every 5m over the last 1h, which gives a range.',
      probe: 'rate(a[1m])',
    });
  });

  test('a moved range is probed at the moved time', () => {
    const [range] = explainSteps('rate(a[5m] offset 1h)')!.inputs;
    expect(range).toMatchObject({ expr: 'a[5m] offset 1h', probe: 'a offset 1h' });
  });

  test.each(['', 'sum(', 'rate(up[5m]', 'up)('])('%j is not a whole expression', (expr) => {
    expect(explainSteps(expr)).toBeUndefined();
  });

  test('labels are summed up by how much they vary', () => {
    expect(labelSummary([])).toBe('');
    expect(
      labelSummary([
        { __name__: 'up', job: 'a', instance: '1' },
        { __name__: 'up', job: 'a', instance: '2' },
      ]),
    ).toBe('instance ×2, job');
  });
});
