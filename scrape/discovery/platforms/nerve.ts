/**
 * Services that AirBnB's Nerve announces.
 * Source: Prometheus documentation, `<nerve_sd_config>`.
 */
import { hostPort, labelText } from '../platform-api.ts';
import { memberPlatform } from '../zookeeper/member-provider.ts';

const PREFIX = '__meta_nerve_';

export const create = memberPlatform(`${PREFIX}path`, ({ host, port, name }) => ({
  __address__: hostPort(labelText(host), Number(port ?? 0)),
  [`${PREFIX}endpoint_host`]: labelText(host),
  [`${PREFIX}endpoint_port`]: labelText(port),
  [`${PREFIX}endpoint_name`]: labelText(name),
}));
