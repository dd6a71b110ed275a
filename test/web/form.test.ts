import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { Form } from '../../web/form.ts';

test.each([
  { text: 'a=1&b=2', name: 'a', values: ['1'] },
  { text: 'match[]=up&match[]=down', name: 'match[]', values: ['up', 'down'] },
  { text: 'match%5B%5D=up%7Bjob%3D%22x%22%7D', name: 'match[]', values: ['up{job="x"}'] },
  { text: 'q=a+b%2Bc', name: 'q', values: ['a b+c'] },
  { text: 'q', name: 'q', values: [''] },
  { text: 'q=a=b', name: 'q', values: ['a=b'] },
  { text: 'q=%E6%B8%A9%E5%BA%A6', name: 'q', values: ['温度'] },
  { text: 'q=%zz&q=ok', name: 'q', values: ['ok'] },
  { text: 'q=%4&q=ok', name: 'q', values: ['ok'] },
  { text: 'q=1;time=5&r=2', name: 'q', values: [] },
  { text: '&&q=1&', name: 'q', values: ['1'] },
  { text: 'q=%ff%41', name: 'q', values: ['\ufffdA'] },
])('$text gives $name the values $values', ({ text, name, values }) => {
  expect(Form.parse(text).all(name)).toEqual(values);
  expect(Form.parse(text).first(name)).toBe(values[0] ?? '');
});

test.each([
  ['a=1&b=2', null],
  ['a=%zz&b=%4', 'invalid URL escape "%zz"'],
  ['a=1&b=%4', 'invalid URL escape "%4"'],
  ['%', 'invalid URL escape "%"'],
  ['a=1&b;c', 'invalid semicolon separator in query'],
])('%s has the fault %s', (text, fault) => {
  expect(Form.parse(text).fault).toBe(fault);
  expect(Form.EMPTY.with(Form.parse(text)).fault).toBe(fault);
  expect(Form.parse('x=y').with(Form.parse(text)).fault).toBe(fault);
  expect(Form.parse(text).with(Form.parse('x=y')).fault).toBe(fault);
});

test('what a form body says comes before what the URL says', () => {
  const merged = Form.parse('query=body').with(Form.parse('query=url&time=1'));
  expect(merged.first('query')).toBe('body');
  expect(merged.all('query')).toEqual(['body', 'url']);
  expect(merged.first('time')).toBe('1');
});

test('well-formed forms read as the platform reads them', () => {
  // Characters that mean something in a form come up often.
  const unit = fc.oneof(
    fc.constantFrom(' ', '+', '%', '&', '=', ';', '[', 'a', 'é', '温', '😀'),
    fc.string({ unit: 'grapheme', maxLength: 1 }),
  );
  const text = fc.string({ unit });
  fc.assert(
    fc.property(fc.array(fc.tuple(text, text)), (pairs) => {
      const encoded = new URLSearchParams(pairs);
      const form = Form.parse(encoded.toString());
      for (const [name] of pairs) expect(form.all(name)).toEqual(encoded.getAll(name));
    }),
  );
});
