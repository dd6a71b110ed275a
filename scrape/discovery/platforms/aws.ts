/**
 * `<aws_sd_config>`: one section for several of Amazon's services, chosen by its role.
 * Source: Prometheus documentation.
 */
import { assert } from '../../../model/index.ts';
import { create as createEcs } from '../aws/ecs.ts';
import { create as createElasticache } from '../aws/elasticache.ts';
import { create as createMsk } from '../aws/msk.ts';
import { create as createRds } from '../aws/rds.ts';
import type { CreatePlatform } from '../platform-api.ts';
import { create as createEc2 } from './ec2.ts';
import { create as createLightsail } from './lightsail.ts';

const ROLES: Readonly<Record<string, CreatePlatform>> = {
  ec2: createEc2,
  ecs: createEcs,
  elasticache: createElasticache,
  lightsail: createLightsail,
  msk: createMsk,
  rds: createRds,
};

export const create: CreatePlatform = (config, context) => {
  const createRole = ROLES[String(config.settings['role'])];
  assert(createRole !== undefined, 'the configuration names a role that there is');
  return createRole(config, context);
};
