/**
 * `<aws_sd_config>`: one section for several of Amazon's services, chosen by its role.
 * Source: Prometheus documentation.
 */
import { ValueError } from '../../../model/index.ts';
import type { CreatePlatform } from '../platform-api.ts';
import { create as createEc2 } from './ec2.ts';
import { create as createLightsail } from './lightsail.ts';

const ROLES: Readonly<Record<string, CreatePlatform>> = {
  ec2: createEc2,
  lightsail: createLightsail,
};

export const create: CreatePlatform = (config, context) => {
  const role = String(config.settings['role']);
  const createRole = ROLES[role];
  if (createRole === undefined) {
    const known = Object.keys(ROLES).join(', ');
    throw new ValueError(`role ${role} of aws_sd_configs is not supported, only ${known}`);
  }
  return createRole(config, context);
};
