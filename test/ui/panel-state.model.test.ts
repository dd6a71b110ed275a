import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  newPanel,
  type PanelState,
  panelsFromSearch,
  searchFromPanels,
} from '../../web/ui/parts/query-url/panel-state.ts';
import { type Resolution, stepMsOf } from '../../web/ui/parts/query-url/resolution.ts';

const seconds = (max: number) => fc.integer({ min: 1, max }).map((one) => one * 1000);
const resolution: fc.Arbitrary<Resolution> = fc.oneof(
  fc.record({
    kind: fc.constant('auto' as const),
    density: fc.constantFrom('low' as const, 'medium' as const, 'high' as const),
  }),
  fc.record({ kind: fc.constantFrom('fixed' as const, 'custom' as const), stepMs: seconds(3600) }),
);
const panel: fc.Arbitrary<PanelState> = fc.record({
  expr: fc.string({ unit: 'grapheme' }),
  tab: fc.constantFrom('graph', 'table', 'explain'),
  rangeMs: seconds(10_000_000),
  endMs: fc.option(seconds(4_000_000_000), { nil: undefined }),
  momentMs: fc.option(seconds(4_000_000_000), { nil: undefined }),
  stacked: fc.boolean(),
  fromZero: fc.boolean(),
  resolution,
});

describe('the address of the query page', () => {
  test('holds every panel whole, through the text of an address too', () => {
    fc.assert(
      fc.property(fc.array(panel, { maxLength: 12 }), (panels) => {
        const text = new URLSearchParams(searchFromPanels(panels)).toString();
        const read = panelsFromSearch(Object.fromEntries(new URLSearchParams(text)));
        expect(read).toEqual(panels);
      }),
    );
  });

  test.each([
    { search: {}, panels: [] },
    { search: { 'g0.expr': 'up', other: 'x' }, panels: [newPanel('up')] },
    { search: { 'g3.expr': 'b', 'g1.expr': 'a' }, panels: [newPanel('a'), newPanel('b')] },
    {
      search: { 'g0.expr': 'up', 'g0.tab': '0', 'g0.range_input': '6h', 'g0.stacked': '1' },
      panels: [{ ...newPanel('up', 'graph', 21_600_000), stacked: true }],
    },
    {
      search: { 'g0.expr': 'up', 'g0.tab': '1', 'g0.moment_input': '2026-03-01 17:05:09' },
      panels: [{ ...newPanel('up'), momentMs: Date.UTC(2026, 2, 1, 17, 5, 9) }],
    },
    {
      search: { 'g0.expr': 'up', 'g0.step_input': '15', 'g0.end_input': '2026-03-01 17:05' },
      panels: [
        {
          ...newPanel('up'),
          endMs: Date.UTC(2026, 2, 1, 17, 5),
          resolution: { kind: 'custom', stepMs: 15_000 },
        },
      ],
    },
    {
      search: {
        'g0.expr': 'up',
        'g0.res_type': 'auto',
        'g0.res_density': 'high',
        'g0.res_step': '60',
        'g0.display_mode': 'stacked',
        'g0.y_axis_min': 'zero',
      },
      panels: [
        {
          ...newPanel('up'),
          stacked: true,
          fromZero: true,
          resolution: { kind: 'auto', density: 'high' },
        },
      ],
    },
    {
      search: { 'g0.expr': 'up', 'g0.range_input': 'nonsense', 'g0.res_density': 'nonsense' },
      panels: [newPanel('up')],
    },
  ])('$search is read as other UIs mean it', ({ search, panels }) => {
    expect(panelsFromSearch(search as Record<string, string>)).toEqual(panels);
  });

  test.each([
    [{ kind: 'auto', density: 'medium' } as const, 3_600_000, 14_000],
    [{ kind: 'auto', density: 'high' } as const, 60_000, 1000],
    [{ kind: 'fixed', stepMs: 30_000 } as const, 3_600_000, 30_000],
  ])('%j over %d ms steps by %d ms', (chosen, rangeMs, stepMs) => {
    expect(stepMsOf(chosen, rangeMs)).toBe(stepMs);
  });
});
