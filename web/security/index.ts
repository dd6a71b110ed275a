/**
 * What `--web.config.file` asks for: TLS, users, headers. Reading the file is src's part; here it is
 * put into force. Source: Prometheus documentation, "HTTPS and authentication"; answers as observed
 * on 3.14.
 */
import type { SecureContextOptions } from 'node:tls';
import type { FastifyInstance } from 'fastify';
import type { Clock } from '../../model/index.ts';
import { sendPlainError } from '../respond.ts';
import { BasicAuth } from './basic-auth.ts';

export const CLIENT_AUTH_TYPES = [
  'NoClientCert',
  'RequestClientCert',
  'RequireAnyClientCert',
  'VerifyClientCertIfGiven',
  'RequireAndVerifyClientCert',
] as const;
export type ClientAuthType = (typeof CLIENT_AUTH_TYPES)[number];
export type TlsVersionName = 'TLS10' | 'TLS11' | 'TLS12' | 'TLS13';

/** Contents, not file names: PEM texts. */
export type TlsSettings = {
  readonly certificatePem: string;
  readonly keyPem: string;
  readonly clientAuthType: ClientAuthType;
  /** Null: the certificates that Node trusts. */
  readonly clientCaPem: string | null;
  /** Client certificates must carry one of these alternative names; empty means any will do. */
  readonly clientAllowedSans: readonly string[];
  readonly minVersion: TlsVersionName;
  readonly maxVersion: TlsVersionName;
  /** OpenSSL's names; empty means Node's choice. */
  readonly cipherSuites: readonly string[];
  readonly curvePreferences: readonly string[];
  /** Whose order of ciphers counts, the server's or the client's. */
  readonly prefersServerCiphers: boolean;
};

export type WebSecurity = {
  readonly tls: TlsSettings | null;
  /** Sent with every answer. */
  readonly headers: Readonly<Record<string, string>>;
  /** Names and bcrypt hashes; without any, everybody may come in. */
  readonly users: Readonly<Record<string, string>>;
  /** Is HTTP/2 offered, where there is TLS? Taken at the start only. */
  readonly http2: boolean;
};

export type SecurityPort = {
  /** The settings in force. Asked with every request, so that a changed file works at once. */
  current(): WebSecurity;
  /** Slow on purpose, so it should happen in another thread. */
  matchesHash(password: string, hash: string): Promise<boolean>;
};

export function enforceSecurity(app: FastifyInstance, security: SecurityPort, clock: Clock): void {
  const auth = new BasicAuth(
    (password, hash) => security.matchesHash(password, hash),
    () => clock.monotonicMs(),
  );
  app.addHook('onRequest', async (request, reply) => {
    const { headers, users } = security.current();
    for (const [name, value] of Object.entries(headers)) reply.header(name, value);
    if (Object.keys(users).length === 0) return undefined;
    switch (await auth.judge(request.headers.authorization, users, request.ip)) {
      case 'allowed':
        return undefined;
      case 'too-many-guesses':
        return sendPlainError(reply.header('retry-after', '60'), 429, 'Too Many Requests');
      case 'refused':
        return sendPlainError(reply.header('www-authenticate', 'Basic'), 401, 'Unauthorized');
    }
  });
}

const VERSIONS = {
  TLS10: 'TLSv1',
  TLS11: 'TLSv1.1',
  TLS12: 'TLSv1.2',
  TLS13: 'TLSv1.3',
} as const satisfies Record<TlsVersionName, SecureContextOptions['minVersion']>;

/** As Node's TLS wants it. */
export function secureContextOptions(tls: TlsSettings): SecureContextOptions {
  return {
    cert: tls.certificatePem,
    key: tls.keyPem,
    minVersion: VERSIONS[tls.minVersion],
    maxVersion: VERSIONS[tls.maxVersion],
    honorCipherOrder: tls.prefersServerCiphers,
    ...(tls.clientCaPem === null ? {} : { ca: tls.clientCaPem }),
    ...(tls.cipherSuites.length === 0 ? {} : { ciphers: tls.cipherSuites.join(':') }),
    ...(tls.curvePreferences.length === 0 ? {} : { ecdhCurve: tls.curvePreferences.join(':') }),
  };
}
