/**
 * Which proxy to go through, if any.
 * Source: Prometheus configuration documentation, `<http_config>`; the usual environment variables.
 */
import { BlockList, isIP } from 'node:net';
import type { ProxyConfig } from '../config.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** URL of the proxy for `url`, or empty for a direct connection. */
export function proxyFor(
  url: URL,
  config: ProxyConfig,
  environment: Environment = process.env,
): string {
  let proxy = config.proxyUrl;
  let exceptions = config.noProxy;
  if (config.proxyFromEnvironment) {
    const pick = (name: string) => environment[name] || environment[name.toLowerCase()] || '';
    proxy = pick(url.protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY');
    exceptions = pick('NO_PROXY');
    if (isLoopback(url)) return '';
  }
  if (proxy === '' || isExcepted(url, exceptions)) return '';
  return proxy.includes('://') ? proxy : `http://${proxy}`;
}

/** Whether a comma-separated list of hosts, domains, addresses and CIDR ranges names the URL's host. */
export function isExcepted(url: URL, exceptions: string): boolean {
  const host = url.hostname.replace(/^\[|\]$/g, '').toLowerCase();
  const port = url.port || (url.protocol === 'https:' ? '443' : '80');
  return exceptions
    .split(',')
    .map((text) => text.trim().toLowerCase())
    .filter((text) => text !== '')
    .some((exception) => matches(exception, host, port));
}

function matches(exception: string, host: string, port: string): boolean {
  if (exception === '*') return true;
  if (exception.includes('/')) return inRange(exception, host);
  let name = exception;
  const withPort = /^(?:\[([^\]]+)\]|([^:]+)):(\d+)$/.exec(exception);
  if (withPort !== null) {
    if (withPort[3] !== port) return false;
    name = withPort[1] ?? withPort[2]!;
  }
  name = name.replace(/^\[|\]$/g, '');
  if (isIP(name) !== 0) return name === host;
  // `.example.org` means its subdomains only, `example.org` the domain itself, too.
  if (name.startsWith('*.')) name = name.slice(1);
  if (name.startsWith('.')) return host.endsWith(name);
  return host === name || host.endsWith(`.${name}`);
}

function inRange(range: string, host: string): boolean {
  const family = isIP(host);
  const [net = '', bits = ''] = range.split('/');
  if (family === 0 || isIP(net) !== family || !/^\d+$/.test(bits)) return false;
  if (Number(bits) > (family === 4 ? 32 : 128)) return false;
  const kind = family === 4 ? 'ipv4' : 'ipv6';
  const list = new BlockList();
  list.addSubnet(net, Number(bits), kind);
  return list.check(host, kind);
}

function isLoopback(url: URL): boolean {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  return host === 'localhost' || host === '::1' || host.startsWith('127.');
}
