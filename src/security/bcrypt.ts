/** bcrypt hashes as `htpasswd -B` makes them; the work is done by bcryptjs, loaded when first needed. */
import { ValueError } from '../../model/index.ts';

/** Algorithm, cost, 22 characters of salt, 31 of hash. */
const HASH = /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/;
const COST_MIN = 4;
const COST_MAX = 31;

/** @throws ValueError when it is no bcrypt hash */
export function requireBcryptHash(hash: string): void {
  const cost = Number(HASH.exec(hash)?.[1] ?? NaN);
  if (!(cost >= COST_MIN && cost <= COST_MAX)) throw new ValueError('not a bcrypt hash');
}

/** @throws ValueError when `hash` is none */
export async function matchesBcrypt(password: string, hash: string): Promise<boolean> {
  requireBcryptHash(hash);
  const { compare } = await import('bcryptjs');
  return compare(password, hash);
}
