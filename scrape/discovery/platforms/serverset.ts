/**
 * Members of server sets, as Finagle and Aurora announce them.
 * Source: Prometheus documentation, `<serverset_sd_config>`.
 */
import { hostPort, labelNamePart, labelText } from '../platform-api.ts';
import { memberPlatform } from '../zookeeper/member-provider.ts';

type Endpoint = { readonly host?: string; readonly port?: number };
type Member = {
  readonly serviceEndpoint?: Endpoint;
  readonly additionalEndpoints?: Readonly<Record<string, Endpoint>>;
  readonly status?: string;
  readonly shard?: number;
};

const PREFIX = '__meta_serverset_';

export const create = memberPlatform(`${PREFIX}path`, (member) => {
  const { serviceEndpoint, additionalEndpoints, status, shard } = member as Member;
  const host = labelText(serviceEndpoint?.host);
  const port = String(serviceEndpoint?.port ?? 0);
  const others = Object.entries(additionalEndpoints ?? {}).flatMap(([name, endpoint]) => {
    const part = labelNamePart(name);
    return [
      [`${PREFIX}endpoint_host_${part}`, labelText(endpoint.host)],
      [`${PREFIX}endpoint_port_${part}`, String(endpoint.port ?? 0)],
    ] as const;
  });
  return {
    __address__: hostPort(host, port),
    [`${PREFIX}endpoint_host`]: host,
    [`${PREFIX}endpoint_port`]: port,
    [`${PREFIX}status`]: labelText(status),
    [`${PREFIX}shard`]: String(shard ?? 0),
    ...Object.fromEntries(others),
  };
});
