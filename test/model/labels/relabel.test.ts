import { describe, expect, test } from 'vitest';
import {
  checkRelabelConfig,
  DEFAULT_RELABEL_CONFIG,
  Labels,
  type RelabelConfig,
  Relabeler,
} from '../../../model/index.ts';

type Rule = Partial<RelabelConfig>;
const rule = (part: Rule): RelabelConfig => ({ ...DEFAULT_RELABEL_CONFIG, ...part });

function relabel(labels: Record<string, string>, ...rules: Rule[]) {
  const relabeler = new Relabeler(rules.map(rule));
  return relabeler.apply(Labels.fromObject(labels))?.toObject() ?? null;
}

describe('replace', () => {
  const labels = { a: 'foo', b: 'bar', c: 'baz' };

  test.each<[string, Rule, Record<string, string>]>([
    ['copies a label', { sourceLabels: ['a'], targetLabel: 'd' }, { ...labels, d: 'foo' }],
    ['sets a constant', { targetLabel: 'd', replacement: 'x' }, { ...labels, d: 'x' }],
    [
      'joins with the separator and puts groups in',
      {
        sourceLabels: ['a', 'b'],
        separator: '-',
        regex: 'f(.*)-(.*)r',
        targetLabel: 'd',
        replacement: '$2/${1}',
      },
      { ...labels, d: 'ba/oo' },
    ],
    [
      'does nothing without a match',
      { sourceLabels: ['a'], regex: 'fo', targetLabel: 'd', replacement: 'x' },
      labels,
    ],
    [
      'removes a label by an empty replacement',
      { sourceLabels: ['a'], targetLabel: 'b', replacement: '' },
      { a: 'foo', c: 'baz' },
    ],
    [
      'takes the name of the target from groups',
      { sourceLabels: ['a'], regex: '(f)(.*)', targetLabel: '${1}_$2', replacement: 'x' },
      { ...labels, f_oo: 'x' },
    ],
    [
      'takes groups by name',
      {
        sourceLabels: ['a'],
        regex: '(?P<first>.)(?P<rest>.*)',
        targetLabel: 'd',
        replacement: '${rest}${first}$none$',
      },
      { ...labels, d: 'oof$' },
    ],
    [
      'reads a group name as far as it goes',
      { sourceLabels: ['a'], regex: '(.*)', targetLabel: 'd', replacement: '$1x|${1}x|$$1|$01' },
      { ...labels, d: '|foox|$1|' },
    ],
    [
      'matches newlines by a dot',
      { sourceLabels: ['n'], regex: 'a.b', targetLabel: 'd', replacement: 'x' },
      { n: 'a\nb', d: 'x' },
    ],
  ])('%s', (_, part, expected) => {
    expect(relabel('n' in expected ? { n: 'a\nb' } : labels, part)).toEqual(expected);
  });

  test('leaves out a target name that is no label name in the legacy scheme', () => {
    const rules = [rule({ sourceLabels: ['a'], targetLabel: '$1', replacement: 'x' })];
    const labels_ = Labels.fromObject({ a: 'b c' });
    expect(new Relabeler(rules, 'legacy').apply(labels_)!.toObject()).toEqual({ a: 'b c' });
    expect(new Relabeler(rules).apply(labels_)!.toObject()).toEqual({ a: 'b c', 'b c': 'x' });
  });
});

describe('the other actions', () => {
  test.each<[string, Rule, Record<string, string>, Record<string, string> | null]>([
    [
      'keep keeps',
      { action: 'keep', sourceLabels: ['a'], regex: 'f.*' },
      { a: 'foo' },
      { a: 'foo' },
    ],
    ['keep drops', { action: 'keep', sourceLabels: ['a'], regex: 'o' }, { a: 'foo' }, null],
    ['drop drops', { action: 'drop', sourceLabels: ['a'], regex: 'foo|x' }, { a: 'foo' }, null],
    [
      'drop keeps',
      { action: 'drop', sourceLabels: ['a'], regex: 'fo' },
      { a: 'foo' },
      { a: 'foo' },
    ],
    [
      'absent labels are empty',
      { action: 'drop', sourceLabels: ['z'], regex: '' },
      { a: 'foo' },
      null,
    ],
    [
      'keepequal',
      { action: 'keepequal', sourceLabels: ['a'], targetLabel: 'b' },
      { a: 'x', b: 'x' },
      { a: 'x', b: 'x' },
    ],
    [
      'keepequal drops',
      { action: 'keepequal', sourceLabels: ['a'], targetLabel: 'b' },
      { a: 'x' },
      null,
    ],
    [
      'dropequal',
      { action: 'dropequal', sourceLabels: ['a'], targetLabel: 'b' },
      { a: 'x', b: 'x' },
      null,
    ],
    [
      'hashmod',
      { action: 'hashmod', sourceLabels: ['c'], targetLabel: 'd', modulus: 1000 },
      { a: 'foo', b: 'bar', c: 'baz' },
      { a: 'foo', b: 'bar', c: 'baz', d: '976' },
    ],
    [
      'labelmap',
      { action: 'labelmap', regex: 'b.*', replacement: 'x_$0' },
      { a: '1', b1: '2', b2: '3' },
      { a: '1', b1: '2', b2: '3', x_b1: '2', x_b2: '3' },
    ],
    ['labeldrop', { action: 'labeldrop', regex: 'b.*' }, { a: '1', b1: '2' }, { a: '1' }],
    ['labelkeep', { action: 'labelkeep', regex: 'b.*' }, { a: '1', b1: '2' }, { b1: '2' }],
    [
      'lowercase',
      { action: 'lowercase', sourceLabels: ['a'], targetLabel: 'b' },
      { a: 'FoÄÉ' },
      { a: 'FoÄÉ', b: 'foäé' },
    ],
    [
      'uppercase goes character by character',
      { action: 'uppercase', sourceLabels: ['a'], targetLabel: 'b' },
      { a: 'straße é' },
      { a: 'straße é', b: 'STRAßE É' },
    ],
  ])('%s', (_, part, labels, expected) => {
    expect(relabel(labels, part)).toEqual(expected);
  });
});

test('rules see what the ones before them left', () => {
  const steps = new Relabeler([
    rule({ targetLabel: 'b', replacement: '1' }),
    rule({ sourceLabels: ['b'], targetLabel: 'c' }),
    rule({ action: 'labeldrop', regex: 'b' }),
    rule({ action: 'drop', sourceLabels: ['c'], regex: '1' }),
    rule({ targetLabel: 'never', replacement: 'reached' }),
  ]).steps(Labels.fromObject({ a: 'x' }));
  expect(steps.map(({ output, keep }) => [output.toObject(), keep])).toEqual([
    [{ a: 'x', b: '1' }, true],
    [{ a: 'x', b: '1', c: '1' }, true],
    [{ a: 'x', c: '1' }, true],
    [{}, false],
    [{}, false],
  ]);
});

/** Messages of Prometheus 3.14. */
describe('a rule is refused', () => {
  test.each<[Rule, string]>([
    [{}, "relabel configuration for replace action requires 'target_label' value"],
    [
      { action: 'hashmod', targetLabel: 'x' },
      'relabel configuration for hashmod requires non-zero modulus',
    ],
    [
      { action: 'hashmod', modulus: 3 },
      "relabel configuration for hashmod action requires 'target_label' value",
    ],
    [
      { action: 'lowercase' },
      "relabel configuration for lowercase action requires 'target_label' value",
    ],
    [
      { action: 'lowercase', targetLabel: 'x', replacement: 'y' },
      "'replacement' can not be set for lowercase action",
    ],
    [
      { action: 'keepequal', targetLabel: 'x', sourceLabels: ['a'], regex: 'b' },
      "keepequal action requires only 'source_labels' and `target_label`, and no other fields",
    ],
    [
      { action: 'labeldrop', regex: 'x', sourceLabels: ['a'] },
      "labeldrop action requires only 'regex', and no other fields",
    ],
    [
      { action: 'labelmap', regex: 'x', replacement: '' },
      '"" is invalid \'replacement\' for labelmap action',
    ],
    [{ sourceLabels: [''], targetLabel: 'x' }, '"" is not a valid label name'],
  ])('%j: %s', (part, message) => {
    expect(() => checkRelabelConfig(rule(part))).toThrow(message);
  });

  test.each<[Rule, string]>([
    [{ targetLabel: 'a.b' }, '"a.b" is invalid \'target_label\' for replace action'],
    [{ targetLabel: 'a$1.b' }, '"a$1.b" is invalid \'target_label\' for replace action'],
    [
      { action: 'uppercase', targetLabel: '$1' },
      '"$1" is invalid \'target_label\' for uppercase action',
    ],
    [
      { action: 'labelmap', regex: 'x', replacement: 'a.b' },
      '"a.b" is invalid \'replacement\' for labelmap action',
    ],
  ])('in the legacy scheme: %j: %s', (part, message) => {
    expect(() => checkRelabelConfig(rule(part), 'legacy')).toThrow(message);
    expect(() => checkRelabelConfig(rule(part))).not.toThrow();
  });

  test('by its regular expression', () => {
    const bad = rule({ action: 'keep', regex: '(a' });
    expect(() => checkRelabelConfig(bad)).toThrow('missing closing )');
    expect(() => new Relabeler([bad])).toThrow('missing closing )');
  });

  test.each<Rule>([
    { targetLabel: 'a${1}b' },
    { targetLabel: '${1}' },
    { action: 'keep' },
    { action: 'labeldrop' },
    { action: 'keepequal', targetLabel: 'x' },
  ])('but not %j', (part) => {
    expect(() => checkRelabelConfig(rule(part), 'legacy')).not.toThrow();
  });
});
