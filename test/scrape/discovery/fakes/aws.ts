/** Amazon's APIs. Source of the shapes: AWS API references. */
import { isSigned, KEYS, xml } from './aws-access.ts';
import { ECS } from './aws-ecs.ts';
import { ELASTICACHE } from './aws-elasticache.ts';
import { MSK } from './aws-msk.ts';
import { RDS } from './aws-rds.ts';
import type { Fake } from './fake.ts';

const INSTANCES = `<DescribeInstancesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">
<requestId>r</requestId>
<reservationSet>
 <item>
  <reservationId>r-1</reservationId>
  <ownerId>123456789012</ownerId>
  <instancesSet>
   <item>
    <instanceId>i-1</instanceId>
    <imageId>ami-1</imageId>
    <instanceState><code>16</code><name>running</name></instanceState>
    <privateDnsName>ip-10-0-0-1.internal</privateDnsName>
    <dnsName>ec2-1.amazonaws.test</dnsName>
    <instanceType>t3.micro</instanceType>
    <placement><availabilityZone>eu-west-1a</availabilityZone><tenancy>default</tenancy></placement>
    <platform>windows</platform>
    <subnetId>subnet-1</subnetId>
    <vpcId>vpc-1</vpcId>
    <privateIpAddress>10.0.0.1</privateIpAddress>
    <ipAddress>1.2.3.4</ipAddress>
    <architecture>x86_64</architecture>
    <instanceLifecycle>spot</instanceLifecycle>
    <tagSet>
     <item><key>Name</key><value>web &amp; more</value></item>
     <item><key>aws:group</key><value>g</value></item>
    </tagSet>
    <networkInterfaceSet>
     <item>
      <networkInterfaceId>eni-2</networkInterfaceId>
      <subnetId>subnet-2</subnetId>
      <attachment><deviceIndex>1</deviceIndex></attachment>
      <ipv6AddressesSet>
       <item><ipv6Address>2001:db8::2</ipv6Address><isPrimaryIpv6>true</isPrimaryIpv6></item>
      </ipv6AddressesSet>
     </item>
     <item>
      <networkInterfaceId>eni-1</networkInterfaceId>
      <subnetId>subnet-1</subnetId>
      <attachment><deviceIndex>0</deviceIndex></attachment>
      <ipv6AddressesSet>
       <item><ipv6Address>2001:db8::1</ipv6Address><isPrimaryIpv6>false</isPrimaryIpv6></item>
      </ipv6AddressesSet>
     </item>
    </networkInterfaceSet>
   </item>
   <item>
    <instanceId>i-2</instanceId>
    <imageId>ami-2</imageId>
    <instanceState><code>80</code><name>stopped</name></instanceState>
    <instanceType>t3.nano</instanceType>
    <placement><availabilityZone>eu-west-1b</availabilityZone></placement>
    <privateIpAddress>10.0.0.2</privateIpAddress>
    <architecture>arm64</architecture>
   </item>
   <item>
    <instanceId>i-3</instanceId>
    <imageId>ami-3</imageId>
    <instanceState><code>48</code><name>terminated</name></instanceState>
    <instanceType>t3.nano</instanceType>
    <placement><availabilityZone>eu-west-1b</availabilityZone></placement>
    <architecture>arm64</architecture>
   </item>
  </instancesSet>
 </item>
</reservationSet>
PAGE
</DescribeInstancesResponse>`;

const SIX_ONLY = `<DescribeInstancesResponse><reservationSet><item><ownerId>1</ownerId><instancesSet>
   <item>
    <instanceId>i-6</instanceId>
    <imageId>ami-6</imageId>
    <instanceState><name>running</name></instanceState>
    <instanceType>t3.nano</instanceType>
    <placement><availabilityZone>eu-west-1b</availabilityZone></placement>
    <architecture>arm64</architecture>
    <subnetId>subnet-6</subnetId>
    <vpcId>vpc-6</vpcId>
    <networkInterfaceSet>
     <item>
      <subnetId>subnet-6</subnetId>
      <attachment><deviceIndex>0</deviceIndex></attachment>
      <ipv6AddressesSet><item><ipv6Address>2001:db8::6</ipv6Address><isPrimaryIpv6>false</isPrimaryIpv6></item></ipv6AddressesSet>
     </item>
    </networkInterfaceSet>
   </item>
</instancesSet></item></reservationSet></DescribeInstancesResponse>`;

const ec2Answer: Fake['answer'] = (request) => {
  const { method, body } = request;
  if (method !== 'POST') return null;
  if (!isSigned(request, 'ec2')) return { status: 401 };
  const params = new URLSearchParams(body);
  if (params.get('Action') === 'DescribeAvailabilityZones') {
    return xml(`<DescribeAvailabilityZonesResponse><availabilityZoneInfo>
      <item><zoneName>eu-west-1a</zoneName><zoneId>euw1-az1</zoneId></item>
      <item><zoneName>eu-west-1b</zoneName><zoneId>euw1-az2</zoneId></item>
    </availabilityZoneInfo></DescribeAvailabilityZonesResponse>`);
  }
  if (params.get('Action') !== 'DescribeInstances') return { status: 400 };
  if (params.get('NextToken') === 'more') return xml(SIX_ONLY);
  return xml(INSTANCES.replace('PAGE', '<nextToken>more</nextToken>'));
};

const ec2: Fake = {
  name: 'ec2',
  mechanism: 'ec2',
  settings: `endpoint: "URL", ${KEYS}, port: 9100,
    filters: [ { name: "tag:env", values: [prod, test] } ]`,
  answer: ec2Answer,
};

const awsEc2: Fake = {
  name: 'aws ec2',
  mechanism: 'aws',
  settings: `role: ec2, endpoint: "URL", ${KEYS}`,
  answer: ec2Answer,
};

const lightsailAnswer: Fake['answer'] = (request) => {
  const { method, headers } = request;
  if (method !== 'POST') return null;
  if (!isSigned(request, 'lightsail')) return { status: 401 };
  if (headers['x-amz-target'] !== 'Lightsail_20161128.GetInstances') return { status: 400 };
  const instance = (name: string, more: object) => ({
    name,
    arn: `arn:aws:lightsail:eu-west-1:1:Instance/${name}`,
    supportCode: '1/i-1',
    location: { availabilityZone: 'eu-west-1a', regionName: 'eu-west-1' },
    resourceType: 'Instance',
    tags: [
      { key: 'env', value: 'prod' },
      { key: 'a.b', value: 'c' },
    ],
    blueprintId: 'debian_12',
    bundleId: 'nano_2_0',
    state: { code: 16, name: 'running' },
    ...more,
  });
  return {
    headers: { 'Content-Type': 'application/x-amz-json-1.1' },
    json: {
      instances: [
        instance('web', {
          privateIpAddress: '172.26.0.1',
          publicIpAddress: '1.2.3.4',
          ipv6Addresses: ['2001:db8::1', '2001:db8::2'],
        }),
        instance('bare', { privateIpAddress: '172.26.0.2', tags: [] }),
        instance('none', {}),
      ],
    },
  };
};

const lightsail: Fake = {
  name: 'lightsail',
  mechanism: 'lightsail',
  settings: `endpoint: "URL", ${KEYS}`,
  answer: lightsailAnswer,
};
const awsLightsail: Fake = {
  name: 'aws lightsail',
  mechanism: 'aws',
  settings: `role: lightsail, endpoint: "URL", ${KEYS}`,
  answer: lightsailAnswer,
};

export const AWS: readonly Fake[] = [
  ec2,
  awsEc2,
  lightsail,
  awsLightsail,
  ...ECS,
  ...ELASTICACHE,
  ...MSK,
  ...RDS,
];
