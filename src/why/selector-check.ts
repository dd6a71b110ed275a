/**
 * Does a selector find anything, and if not, what in it is to blame: a metric that does not exist
 * (and the nearest that does), one condition that leaves nothing, or series that have ended.
 */
import {
  isStaleAt,
  type Matcher,
  METRIC_NAME,
  type Querier,
  type Queryable,
  SampleBuffer,
} from '../../model/index.ts';
import { printExpr } from '../../promql/index.ts';
import type { SelectorCheck } from '../../web/index.ts';
import { nearestName } from '../nearest-name.ts';
import type { SelectorWindow } from './selector-window.ts';

/** So many series are looked at for a sample; when none of them has one, the others count as ended. */
const READ_COUNT_MAX = 1000;
const SHOWN_VALUE_COUNT = 5;

export function checkSelector(queryable: Queryable, window: SelectorWindow): SelectorCheck {
  const { selector, minMs, maxMs } = window;
  const querier = queryable.querier(minMs, maxMs);
  try {
    const found = querier.select(selector.matchers, { minMs, maxMs });
    const text = printExpr(selector);
    const seriesCount = found.labels.length;
    if (seriesCount > 0 && hasSample(found, minMs, maxMs)) {
      return { selector: text, seriesCount, problem: null };
    }
    return { selector: text, seriesCount: 0, problem: problemOf(querier, window, seriesCount) };
  } finally {
    querier.close();
  }
}

function hasSample(found: ReturnType<Querier['select']>, minMs: number, maxMs: number): boolean {
  const buffer = new SampleBuffer();
  const rowCount = Math.min(found.labels.length, READ_COUNT_MAX);
  for (let row = 0; row < rowCount; row++) {
    found.read(row, minMs, maxMs, buffer);
    for (let index = buffer.count - 1; index >= 0; index--) {
      if (buffer.histograms?.[index] || !isStaleAt(buffer.values, index)) return true;
    }
  }
  return false;
}

function problemOf(
  querier: Querier,
  { selector: { matchers }, minMs, maxMs }: SelectorWindow,
  endedCount: number,
): NonNullable<SelectorCheck['problem']> {
  const none = { nearestMetric: null, matcher: null, otherValues: [] };
  if (endedCount > 0) {
    const text = `${endedCount} series match, but none has a sample at that time`;
    return { ...none, kind: 'ended', text };
  }
  const name = matchers.find((m) => m.name === METRIC_NAME && m.operator === '=');
  const count = (some: readonly Matcher[]) =>
    querier.select(some, { minMs, maxMs, labelsOnly: true, limit: 1 }).labels.length;
  if (name !== undefined && count([name]) === 0) {
    const known = querier.labelValues(METRIC_NAME, []).texts;
    const nearestMetric = nearestName(name.value, known) ?? null;
    const hint = nearestMetric === null ? '' : `; the nearest one is ${nearestMetric}`;
    const text = `there is no metric ${name.value}${hint}`;
    return { ...none, kind: 'metric', nearestMetric, text };
  }
  for (const culprit of matchers) {
    const others = matchers.filter((matcher) => matcher !== culprit);
    // A selector of nothing but conditions that an absent label meets would choose everything.
    if (culprit === name || others.length === 0 || count(others) === 0) continue;
    const { texts } = querier.labelValues(culprit.name, others, SHOWN_VALUE_COUNT + 1);
    const condition = `${culprit.name}${culprit.operator}${JSON.stringify(culprit.value)}`;
    const values = texts.slice(0, SHOWN_VALUE_COUNT);
    const shown = values.map((value) => JSON.stringify(value)).join(', ');
    const more = texts.length > values.length ? ', …' : '';
    const what =
      values.length === 0
        ? `they have no label ${culprit.name}`
        : `${culprit.name} is ${shown}${more}`;
    const text = `series would match without ${condition}: ${what}`;
    return { kind: 'matcher', nearestMetric: null, matcher: condition, otherValues: values, text };
  }
  return { ...none, kind: 'matchers', text: 'its conditions leave nothing together' };
}
