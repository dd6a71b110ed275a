import type { ConnectionOptions } from 'node:tls';
import type { TlsConfig, TlsVersion } from '../config.ts';
import type { SecretFiles } from './secret-files.ts';

const VERSIONS: Record<TlsVersion, NonNullable<ConnectionOptions['minVersion']>> = {
  TLS10: 'TLSv1',
  TLS11: 'TLSv1.1',
  TLS12: 'TLSv1.2',
  TLS13: 'TLSv1.3',
};

/** Node's options for a TLS configuration, files read. They are plain data and comparable as JSON. */
export function tlsOptions(config: TlsConfig, files: SecretFiles): ConnectionOptions {
  const pick = (text: string, file: string, purpose: string) =>
    text !== '' ? text : file !== '' ? files.readExact(file, purpose) : undefined;
  const options: ConnectionOptions = {
    minVersion: VERSIONS[config.minVersion ?? 'TLS12'],
    maxVersion: VERSIONS[config.maxVersion ?? 'TLS13'],
    rejectUnauthorized: !config.insecureSkipVerify,
  };
  const ca = pick(config.ca, config.caFile, 'CA certificate');
  if (ca !== undefined) options.ca = ca;
  const cert = pick(config.cert, config.certFile, 'client certificate');
  if (cert !== undefined) options.cert = cert;
  const key = pick(config.key, config.keyFile, 'client key');
  if (key !== undefined) options.key = key;
  if (config.serverName !== '') options.servername = config.serverName;
  return options;
}
