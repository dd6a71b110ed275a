/**
 * Instances of applications that are registered with Eureka.
 * Source: Prometheus documentation, `<eureka_sd_config>`; Eureka REST operations.
 */
import type { LabelRecord } from '../../config.ts';
import { hostPort, labelNamePart, refreshing, withoutEndSlash } from '../platform-api.ts';
import { childOf, childrenAt, parseXml, textAt, type XmlElement } from '../xml.ts';

type EurekaSettings = { readonly server: string };

const PREFIX = '__meta_eureka_app_';

export const create = refreshing<EurekaSettings>(async (api, signal) => {
  const url = `${withoutEndSlash(api.settings.server)}/apps`;
  const applications = parseXml(await api.text(url, signal));
  const targets = applications.children
    .filter(({ name }) => name === 'application')
    .flatMap((application) => {
      const appName = textAt(application, 'name');
      const instances = application.children.filter(({ name }) => name === 'instance');
      return instances.map((instance) => target(instance, appName));
    });
  return [{ source: 'eureka', labels: {}, targets }];
});

function target(instance: XmlElement, appName: string): LabelRecord {
  const text = (...names: string[]) => textAt(instance, ...names);
  const port = childOf(instance, 'port');
  const securePort = childOf(instance, 'securePort');
  const of = `${PREFIX}instance_`;
  return {
    __address__: hostPort(text('hostName'), port?.text ?? 80),
    instance: text('instanceId'),
    [`${PREFIX}name`]: appName,
    [`${of}hostname`]: text('hostName'),
    [`${of}homepage_url`]: text('homePageUrl'),
    [`${of}statuspage_url`]: text('statusPageUrl'),
    [`${of}healthcheck_url`]: text('healthCheckUrl'),
    [`${of}ip_addr`]: text('ipAddr'),
    [`${of}vip_address`]: text('vipAddress'),
    [`${of}secure_vip_address`]: text('secureVipAddress'),
    [`${of}status`]: text('status'),
    [`${of}country_id`]: text('countryId') || '0',
    [`${of}id`]: text('instanceId'),
    [`${of}port`]: port?.text ?? '',
    [`${of}port_enabled`]: port?.attributes['enabled'] ?? '',
    [`${of}secure_port`]: securePort?.text ?? '',
    [`${of}secure_port_enabled`]: securePort?.attributes['enabled'] ?? '',
    [`${of}datacenterinfo_name`]: text('dataCenterInfo', 'name'),
    ...texts(`${of}datacenterinfo_metadata_`, childrenAt(instance, 'dataCenterInfo', 'metadata')),
    ...texts(`${of}metadata_`, childrenAt(instance, 'metadata')),
  };
}

function texts(prefix: string, elements: readonly XmlElement[]): LabelRecord {
  return Object.fromEntries(elements.map(({ name, text }) => [prefix + labelNamePart(name), text]));
}
