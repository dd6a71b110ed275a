import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { loadSoundGroups, parseRuleFile } from '../../../src/rules/index.ts';

const parse = (text: string) => parseRuleFile(text, 'rules.yml');

test('group labels go to every rule, whose own win', () => {
  const [group] = parse(`groups:
- name: g
  interval: 30s
  query_offset: 5s
  limit: 7
  labels: {team: a, tier: x}
  rules:
  - {record: r, expr: sum  by(job)( up ), labels: {team: b}}
  - {alert: A, expr: up == 0, for: 5m, keep_firing_for: 1m, annotations: {s: "{{ $value }}"}}
`);
  expect(group).toMatchObject({ intervalMs: 30_000, queryOffsetMs: 5000, limit: 7 });
  const [recording, alerting] = group!.rules;
  expect(recording).toMatchObject({ type: 'recording', query: 'sum by (job) (up)' });
  expect(recording!.labels.toObject()).toEqual({ team: 'b', tier: 'x' });
  expect(alerting).toMatchObject({ type: 'alerting', holdMs: 300_000, keepFiringMs: 60_000 });
  expect(alerting!.labels.toObject()).toEqual({ team: 'a', tier: 'x' });
});

test('an empty file has no groups', () => {
  expect(parse('')).toEqual([]);
  expect(parse('groups:')).toEqual([]);
});

test('every mistake is told, each with its place', () => {
  const text = `groups:
- name: g
  rules:
  - {alert: A, record: r, expr: up}
  - {record: "r{a='b'}", expr: up, for: 5m, annotations: {a: b}}
  - {alert: B, expr: "up +", labels: {__name__: x}}
  - {alert: C, expr: up, labels: {a: "{{ $nope }}"}}
  - {expr: up}
  - {alert: D}
  - {alert: E, exprs: up}
- rules: []
`;
  expect(() => parse(text)).toThrow(
    expect.objectContaining({
      file: 'rules.yml',
      line: 4,
      message: expect.stringMatching(
        new RegExp(
          [
            "rules\\.yml:4:6: .*only one of 'record' and 'alert' must be set",
            'rules\\.yml:5:\\d+: .*braces present in the recording rule name',
            "rules\\.yml:5:\\d+: .*invalid field 'for' in recording rule",
            "rules\\.yml:5:\\d+: .*invalid field 'annotations' in recording rule",
            'rules\\.yml:6:\\d+: .*could not parse expression: 1:5: parse error: unexpected end of input',
            'rules\\.yml:6:\\d+: .*invalid label name: __name__',
            'rules\\.yml:7:\\d+: .*label "a": template: __alert_C:1: undefined variable "\\$nope"',
            "rules\\.yml:8:5: .*one of 'record' or 'alert' must be set",
            "rules\\.yml:9:5: .*field 'expr' must be set in rule",
            'rules\\.yml:10:\\d+: .*unknown key; did you mean expr',
            'rules\\.yml:11:3: .*Groupname must not be empty',
          ].join('[^]*'),
        ),
      ),
    }),
  );
});

test('a group name is used once in a file', () => {
  expect(() => parse('groups: [{name: g}, {name: g}]')).toThrow(
    'rules.yml:1:22: groups[1].name: groupname: "g" is repeated in the same file',
  );
});

describe('quarantine', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'narthex-quarantine-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const load = (text: string) => {
    const file = path.join(folder, 'rules.yml');
    writeFileSync(file, text);
    const { groups, quarantined } = loadSoundGroups(file);
    return {
      groups: groups.map(({ name }) => name),
      quarantined: quarantined.map(({ group, error }) => [group, error.replace(`${file}:`, '')]),
    };
  };

  test('costs only the group that a mistake is in, and says where it is', () => {
    const found = load(`groups:
  - name: good
    rules: [{record: a, expr: up}]
  - name: bad
    rules:
      - record: b
        expr: sum(
      - alert: B
        exprr: up
  - name: good
    rules: [{record: c, expr: up}]
  - 7
  - name: last
    rules: [{record: d, expr: up}]
`);
    expect(found.groups).toEqual(['good', 'last']);
    expect(found.quarantined.map(([group]) => group)).toEqual(['bad', 'good', 'groups[3]']);
    const [[, bad], [, repeated]] = found.quarantined as [string[], string[]];
    expect(bad).toContain('7:9: groups[1].rules[0].expr: could not parse expression');
    expect(bad).toContain('exprr');
    expect(repeated).toContain('groupname: "good" is repeated in the same file');
  });

  test.each([
    ['what is no YAML', 'groups: [', /1:/],
    ['what has no groups', 'group: []', /group/],
    ['a file that is not there', null, /no such file/],
  ])('%s is quarantined as a whole', (_, text, message) => {
    if (text === null) rmSync(path.join(folder, 'rules.yml'));
    const { groups, quarantined } =
      text === null
        ? loadSoundGroups(path.join(folder, 'rules.yml'))
        : {
            groups: load(text).groups,
            quarantined: [{ group: '', error: load(text).quarantined[0]![1]! }],
          };
    expect(groups).toEqual([]);
    expect(quarantined).toHaveLength(1);
    expect(quarantined[0]!.group).toBe('');
    expect(quarantined[0]!.error).toMatch(message);
  });
});
