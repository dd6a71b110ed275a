/**
 * The file of `--web.config.file`: TLS, users, headers, HTTP/2.
 * Source: Prometheus documentation, "HTTPS and authentication"; messages from a running 3.14.
 */
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { ConfigError, messageOf, ValueError } from '../../model/index.ts';
import {
  CLIENT_AUTH_TYPES,
  type ClientAuthType,
  secureContextOptions,
  type TlsSettings,
  type WebSecurity,
} from '../../web/index.ts';
import { readConfigText, readProblem } from '../config/config-text.ts';
import { ConfigDocument } from '../config/document.ts';
import { bool, choice, filePath, secret, string } from '../config/scalar-types.ts';
import {
  checkAt,
  field,
  type Infer,
  list,
  mapOf,
  object,
  optional,
  type Place,
  readDocument,
} from '../config/type.ts';
import { requireBcryptHash } from './bcrypt.ts';
import { GO_CIPHERS, GO_CURVES } from './go-tls-names.ts';

const TLS_VERSIONS = ['TLS10', 'TLS11', 'TLS12', 'TLS13'] as const;
const HEADERS = [
  'Content-Security-Policy',
  'Strict-Transport-Security',
  'X-Content-Type-Options',
  'X-Frame-Options',
  'X-XSS-Protection',
] as const;
/** Where only a few values make sense. */
const HEADER_VALUES: Readonly<Record<string, readonly string[]>> = {
  'X-Content-Type-Options': ['nosniff'],
  'X-Frame-Options': ['deny', 'sameorigin'],
};
/** Whose certificates nobody would look at. */
const WITHOUT_CA = new Set<ClientAuthType>(['NoClientCert']);

const version = choice(TLS_VERSIONS, (text) => `unknown TLS version: ${text}`);
const nameOf = (what: string, known: Readonly<Record<string, string>>) =>
  choice(Object.keys(known), (text) => `unknown ${what}: ${text}`);

const tls = object(
  {
    cert: field(string, ''),
    key: field(secret, ''),
    client_ca: field(string, ''),
    cert_file: field(filePath, ''),
    key_file: field(filePath, ''),
    client_auth_type: field(
      choice(CLIENT_AUTH_TYPES, (text) => `invalid ClientAuth: ${text}`),
      'NoClientCert',
    ),
    client_ca_file: field(filePath, ''),
    cipher_suites: field(list(nameOf('cipher', GO_CIPHERS)), []),
    curve_preferences: field(list(nameOf('curve', GO_CURVES)), []),
    min_version: field(version, 'TLS12' as const),
    max_version: field(version, 'TLS13' as const),
    prefer_server_cipher_suites: field(bool, true),
    client_allowed_sans: field(list(string), []),
  },
  (value, place) => {
    if (value.cert === '' && value.cert_file === '') {
      place.fail('missing one of cert or cert_file');
    }
    if (value.key === '' && value.key_file === '') place.fail('missing one of key or key_file');
    const hasCa = value.client_ca !== '' || value.client_ca_file !== '';
    if (hasCa && WITHOUT_CA.has(value.client_auth_type)) {
      const what = "client CA's have been configured without a Client Auth Policy";
      place.fail(what, value.client_ca === '' ? 'client_ca_file' : 'client_ca');
    }
  },
);

const headers = mapOf(string, (name) => {
  if (!HEADERS.some((known) => known === name)) {
    throw new ValueError(`HTTP header ${JSON.stringify(name)} can not be configured`);
  }
});

const webFile = object(
  {
    tls_server_config: optional(tls),
    http_server_config: field(
      object(
        { http2: field(bool, true), headers: field(headers, {}) },
        ({ headers: given }, place) => checkHeaderValues(given, place),
      ),
      { http2: true, headers: {} },
    ),
    basic_auth_users: field(mapOf(secret), {}),
  },
  ({ basic_auth_users: users }, place) => {
    for (const [name, hash] of Object.entries(users)) {
      checkAt(place.at('basic_auth_users', name), () => requireBcryptHash(hash));
    }
  },
);

function checkHeaderValues(given: Readonly<Record<string, string>>, place: Place): void {
  for (const [name, value] of Object.entries(given)) {
    const expected = HEADER_VALUES[name];
    if (expected === undefined || value === '' || expected.includes(value)) continue;
    const choices = expected.map((text) => JSON.stringify(text)).join(' ');
    const what = `invalid value for ${name}. Expected one of: [${choices}], but got: `;
    place.at('headers').fail(what + JSON.stringify(value), name);
  }
}

export type WebFile = {
  readonly security: WebSecurity;
  /** The file itself and those that it names. */
  readonly files: readonly string[];
};

/** @throws ConfigError naming file, line and column; also when a certificate cannot be used */
export function readWebFile(file: string): WebFile {
  const document = new ConfigDocument(readConfigText(file), file);
  const value = readDocument(webFile, document, () => webFile.initial());
  const { http2, headers: given } = value.http_server_config;
  const settings = value.tls_server_config;
  const files = [file];
  if (settings !== null) {
    files.push(settings.cert_file, settings.key_file, settings.client_ca_file);
  }
  return {
    security: {
      tls: settings && readTls(settings, file),
      headers: Object.fromEntries(Object.entries(given).filter(([, text]) => text !== '')),
      users: value.basic_auth_users,
      http2,
    },
    files: files.filter((name) => name !== ''),
  };
}

function readTls(value: Infer<typeof tls>, file: string): TlsSettings {
  const clientCa = contentOf('client_ca', value.client_ca, value.client_ca_file, file);
  const settings: TlsSettings = {
    certificatePem: contentOf('cert', value.cert, value.cert_file, file),
    keyPem: contentOf('key', value.key, value.key_file, file),
    clientAuthType: value.client_auth_type,
    clientCaPem: clientCa === '' ? null : clientCa,
    clientAllowedSans: value.client_allowed_sans,
    minVersion: value.min_version,
    maxVersion: value.max_version,
    cipherSuites: value.cipher_suites.map((name) => GO_CIPHERS[name]!),
    curvePreferences: value.curve_preferences.map((name) => GO_CURVES[name]!),
    prefersServerCiphers: value.prefer_server_cipher_suites,
  };
  try {
    createSecureContext(secureContextOptions(settings));
  } catch (error) {
    throw new ConfigError(`tls_server_config: ${messageOf(error)}`, file, 0, 0, { cause: error });
  }
  return settings;
}

function contentOf(what: string, inline: string, named: string, file: string): string {
  if (named === '') return inline;
  try {
    return readFileSync(named, 'utf8');
  } catch (error) {
    const reason = `failed to read ${what}_file (${named}): ${readProblem(named, error)}`;
    throw new ConfigError(reason, file, 0, 0, { cause: error });
  }
}
