import { describe, expect, test } from 'vitest';
import {
  decodeFragment,
  encodeFragment,
  FragmentKind,
  PAGE_SIZE_BYTES,
} from '../../../tsdb/wal/fragment.ts';

// CRC-32C of "123456789" is the published check value e3069283.
const GOLDEN = Uint8Array.from(Buffer.from('010009e3069283313233343536373839', 'hex'));

describe('wal fragment', () => {
  test('a full fragment encodes to the golden bytes', () => {
    const page = new Uint8Array(GOLDEN.length);
    const data = Buffer.from('123456789');
    expect(encodeFragment(page, 0, FragmentKind.Full, data, 0, 9)).toBe(GOLDEN.length);
    expect(page).toEqual(GOLDEN);
  });

  test.each([
    { spoiled: 'a data bit', byte: 7, to: 0x30, message: 'checksum differs' },
    { spoiled: 'the length', byte: 1, to: 0xff, message: 'fragment leaves the page' },
    { spoiled: 'the kind', byte: 0, to: 5, message: 'unexpected record type 5' },
    { spoiled: 'a reserved bit', byte: 0, to: 0x41, message: 'unexpected record type 65' },
  ])('decoding refuses $spoiled and says where', ({ byte, to, message }) => {
    const view = { flag: 0, kind: 0, dataStart: 0, dataEnd: 0 };
    const spoiled = GOLDEN.with(byte, to);
    const decode = () => decodeFragment(spoiled, 0, spoiled.length, view, 'wal/00000003', 65_536);
    expect(decode).toThrow(`${message} (wal/00000003 @ byte 65536)`);
  });

  test('the rest of an ended page must be zeros', () => {
    const page = new Uint8Array(PAGE_SIZE_BYTES);
    const view = { flag: 0, kind: 0, dataStart: 0, dataEnd: 0 };
    decodeFragment(page, 100, PAGE_SIZE_BYTES, view, 'f', 0);
    expect(view).toEqual({
      flag: 0,
      kind: 0,
      dataStart: PAGE_SIZE_BYTES,
      dataEnd: PAGE_SIZE_BYTES,
    });
    page[200] = 1;
    const decode = () => decodeFragment(page, 100, PAGE_SIZE_BYTES, view, 'f', 0);
    expect(decode).toThrow('data after the end of a page (f @ byte 100)');
  });
});
