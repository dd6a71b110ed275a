import { describe, expect, test } from 'vitest';
import { matchesBcrypt, requireBcryptHash } from '../../../src/security/bcrypt.ts';

const SECRET_HASH = '$2b$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a';

describe('bcrypt', () => {
  // Made by the crypt(3) of libxcrypt; the second one is among its own test vectors.
  test.each([
    ['secret', SECRET_HASH],
    ['U*U', '$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW'],
    ['', '$2b$04$abcdefghijklmnopqrstuubyCG3zY1GIXMyxfivm.ClDiInHzxjiq'],
    ['温'.repeat(30), '$2y$04$abcdefghijklmnopqrstuuEdvysirv4JEfMjLT7F8P3Y7MmtvGvby'],
    ['x'.repeat(72), '$2b$06$0123456789abcdefghijk.JJtJ9DkdgSojTDOC7GU.CDUqUr7CHxS'],
  ])('knows "%s"', async (password, hash) => {
    expect(await matchesBcrypt(password, hash)).toBe(true);
    expect(await matchesBcrypt(`!${password}`, hash)).toBe(false);
  });

  test.each(['', 'secret', '$2b$05$short', SECRET_HASH.replace('05', '99'), `${SECRET_HASH}x`])(
    'refuses "%s" for a hash',
    (hash) => {
      expect(() => requireBcryptHash(hash)).toThrow(/bcrypt/);
    },
  );
});
