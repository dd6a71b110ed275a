/** Checks passwords against their hashes, which takes long on purpose. */
import { parentPort } from 'node:worker_threads';
import { assert } from '../../model/index.ts';
import { matchesBcrypt } from '../security/bcrypt.ts';
import { serve } from './rpc.ts';

assert(parentPort !== null, 'runs in a worker');
const methods = {
  matches: ({ password, hash }: { readonly password: string; readonly hash: string }) =>
    matchesBcrypt(password, hash),
};
export type PasswordMethods = typeof methods;
serve(parentPort, methods);
