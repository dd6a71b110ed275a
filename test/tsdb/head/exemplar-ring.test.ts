import { describe, expect, test } from 'vitest';
import { Labels } from '../../../model/index.ts';
import { ExemplarRing, ExemplarVerdict } from '../../../tsdb/head/exemplar-ring.ts';

const trace = (id: number) => Labels.fromObject({ trace: `${id}` });

describe('the exemplar ring', () => {
  test('forgets the oldest when it is full, whatever series it is of', () => {
    const ring = new ExemplarRing(3);
    ring.add(1, trace(1), 1, 100);
    ring.add(2, trace(2), 2, 100);
    ring.add(1, trace(3), 3, 200);
    ring.add(2, trace(4), 4, 200);
    expect(ring.select(1, 0, 1000).map((e) => e.value)).toEqual([3]);
    expect(ring.select(2, 0, 1000).map((e) => e.value)).toEqual([2, 4]);
    expect(ring.count).toBe(3);
    expect(ring.newestMs).toBe(200);
  });

  test.each([
    { name: 'newer', timestampMs: 101, value: 9, windowMs: 0, verdict: ExemplarVerdict.Added },
    {
      name: 'the same again',
      timestampMs: 100,
      value: 1,
      windowMs: 0,
      verdict: ExemplarVerdict.Repeated,
    },
    {
      name: 'another of that time',
      timestampMs: 100,
      value: 2,
      windowMs: 0,
      verdict: ExemplarVerdict.OutOfOrder,
    },
    { name: 'older', timestampMs: 99, value: 1, windowMs: 0, verdict: ExemplarVerdict.OutOfOrder },
    {
      name: 'older, inside the window',
      timestampMs: 95,
      value: 1,
      windowMs: 10,
      verdict: ExemplarVerdict.Added,
    },
    {
      name: 'older than the window',
      timestampMs: 89,
      value: 1,
      windowMs: 10,
      verdict: ExemplarVerdict.OutOfOrder,
    },
  ])('judges $name', ({ timestampMs, value, windowMs, verdict }) => {
    const ring = new ExemplarRing(3);
    ring.add(1, trace(1), 1, 100);
    expect(ring.judge(1, { labels: trace(1), value }, timestampMs, windowMs)).toBe(verdict);
  });

  test('stays sorted when a late one comes', () => {
    const ring = new ExemplarRing(5);
    for (const timestampMs of [100, 300, 200]) ring.add(1, trace(timestampMs), 1, timestampMs);
    expect(ring.select(1, 0, 250).map((e) => e.timestampMs)).toEqual([100, 200]);
  });

  test('keeps the newest when it is made smaller, and all when larger', () => {
    const ring = new ExemplarRing(4);
    for (let n = 1; n <= 4; n++) ring.add(n, trace(n), n, n);
    ring.resize(2);
    expect([...ring.refs()]).toEqual([3, 4]);
    ring.resize(10);
    expect([...ring.refs()]).toEqual([3, 4]);
    ring.add(5, trace(5), 5, 5);
    expect(ring.count).toBe(3);
    ring.resize(0);
    expect(ring.count).toBe(0);
    ring.add(6, trace(6), 6, 6);
    expect(ring.count).toBe(0);
  });

  test('forgets a series that is gone', () => {
    const ring = new ExemplarRing(4);
    for (let n = 1; n <= 4; n++) ring.add(n % 2, trace(n), n, n);
    ring.removeSeries(0);
    expect([...ring.refs()]).toEqual([1]);
    for (let n = 5; n <= 8; n++) ring.add(7, trace(n), n, n);
    expect([...ring.refs()]).toEqual([7]);
  });
});
