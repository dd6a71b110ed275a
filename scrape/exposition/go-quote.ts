import { quoteText } from '../../model/index.ts';

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Bytes in double quotes as Prometheus's error messages show them: like {@link quoteText}, and a
 * byte that belongs to no UTF-8 character as `\xff`.
 */
export function quoteBytes(bytes: Uint8Array): string {
  const text = decodeStrict(bytes);
  if (text !== null) return quoteText(text);
  let quoted = '"';
  for (let at = 0; at < bytes.length; ) {
    const size = characterSize(bytes, at);
    if (size === 0) {
      quoted += `\\x${bytes[at]!.toString(16).padStart(2, '0')}`;
      at++;
    } else {
      quoted += quoteText(strict.decode(bytes.slice(at, at + size))).slice(1, -1);
      at += size;
    }
  }
  return `${quoted}"`;
}

/** Up to this length text is put together byte by byte, which beats a call into native code. */
const SHORT_TEXT_BYTES = 24;

/** The text of UTF-8 bytes, or null when they are not UTF-8. */
export function decodeStrict(bytes: Uint8Array): string | null {
  if (bytes.length <= SHORT_TEXT_BYTES) {
    let text = '';
    for (let i = 0; i < bytes.length; i++) {
      if (bytes[i]! >= 0x80) return decodeNative(bytes);
      text += String.fromCharCode(bytes[i]!);
    }
    return text;
  }
  return decodeNative(bytes);
}

function decodeNative(bytes: Uint8Array): string | null {
  try {
    return strict.decode(bytes);
  } catch {
    return null;
  }
}

/** Bytes of the character that starts at `at`; 0 when none does. */
function characterSize(bytes: Uint8Array, at: number): number {
  for (let size = 1; size <= 4 && at + size <= bytes.length; size++) {
    if (decodeStrict(bytes.slice(at, at + size)) !== null) return size;
  }
  return 0;
}
