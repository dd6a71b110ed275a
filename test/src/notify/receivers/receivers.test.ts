/** Receivers from an alert to what arrives, with real sockets and a clock that the test moves. */
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import BetterSqlite3, { type Database } from 'better-sqlite3';
import {
  DAY_MS,
  Labels,
  MINUTE_MS,
  Registry,
  SILENT_LOGGER,
  SimulatedClock,
} from '../../../../model/index.ts';
import { migrate } from '../../../../src/history/database.ts';
import type { OutgoingAlert } from '../../../../src/notify/index.ts';
import { parseReceivers, Receivers } from '../../../../src/notify/receivers/index.ts';
import { until } from '../../support/server.ts';

type Post = { readonly path: string; readonly body: Record<string, never> & { alerts: unknown[] } };

let database: Database;
let clock: SimulatedClock;
let hub: Receivers;
let posts: Post[] = [];
let status = 200;
let delivered: string[] = [];
const web = createHttpServer((request, response) => {
  let text = '';
  request.on('data', (chunk: Buffer) => (text += chunk.toString()));
  request.on('end', () => {
    posts.push({ path: request.url!, body: JSON.parse(text) });
    response.writeHead(status).end(status === 200 ? 'ok' : 'no such hook');
  });
});
let mail: FakeMail;
let webPort = 0;

/** As much of SMTP as a client needs to hand over a message. */
class FakeMail {
  readonly messages: string[] = [];
  readonly commands: string[] = [];
  readonly #server: Server = createServer((socket) => this.#serve(socket));

  async listen(): Promise<number> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return (this.#server.address() as AddressInfo).port;
  }

  close(): void {
    this.#server.close();
  }

  #serve(socket: Socket): void {
    let isData = false;
    let buffer = '';
    let body = '';
    const say = (text: string) => void socket.write(`${text}\r\n`);
    say('220 fake');
    socket.on('error', () => {});
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      buffer += chunk;
      for (let end = buffer.indexOf('\r\n'); end >= 0; end = buffer.indexOf('\r\n')) {
        const line = buffer.slice(0, end);
        buffer = buffer.slice(end + 2);
        if (isData) {
          if (line !== '.') body += `${line}\n`;
          else {
            isData = false;
            this.messages.push(body);
            body = '';
            say('250 taken');
          }
          continue;
        }
        this.commands.push(line);
        const verb = line.slice(0, 4).toUpperCase();
        if (verb === 'EHLO') socket.write('250-fake\r\n250 AUTH PLAIN\r\n');
        else if (verb === 'AUTH') say('235 welcome');
        else if (verb === 'STAR') say('502 not here');
        else if (verb === 'DATA') {
          isData = true;
          say('354 go on');
        } else if (verb === 'QUIT') {
          say('221 bye');
          socket.end();
        } else say('250 fine');
      }
    });
  }
}

/** Lets what time wakes up go on, and what that wakes up. */
async function pass(durationMs: number): Promise<void> {
  for (const stepMs of [0, durationMs, 0, 0]) {
    await new Promise(setImmediate);
    await clock.advance(stepMs);
    await new Promise(setImmediate);
  }
}

const CONFIG = () => `
group_wait: 10s
group_interval: 1m
repeat_interval: 1h
receivers:
- name: team
  matchers: [severity="page"]
  webhook_configs: [{url: "http://127.0.0.1:${webPort}/hook"}]
`;

function open(config = CONFIG()): void {
  hub = new Receivers(database, {
    clock,
    logger: SILENT_LOGGER,
    registry: new Registry(),
    userAgent: 'test',
    externalUrl: 'http://narthex:9090',
    graceMs: 15 * MINUTE_MS,
    onDelivery: (label, alerts, error) => {
      delivered.push(`${label} ${alerts.length} ${error === null ? 'ok' : error.slice(0, 10)}`);
    },
  });
  hub.apply(parseReceivers(config, 'notifications.yml'));
}

function alert(host: string, isResolved = false, severity = 'page'): OutgoingAlert {
  const labels = Labels.fromObject({ alertname: 'Down', host, severity });
  const nowMs = clock.nowMs();
  return {
    labels,
    annotations: Labels.fromObject({ summary: `<${host}> & more` }),
    startsAtMs: nowMs,
    endsAtMs: isResolved ? nowMs : nowMs + 3 * DAY_MS,
    generatorUrl: 'http://narthex:9090/graph',
    isResolved,
    ruleLabels: labels,
  };
}

beforeEach(async () => {
  database = new BetterSqlite3(':memory:');
  migrate(database);
  clock = new SimulatedClock(1_800_000_000_000);
  posts = [];
  delivered = [];
  status = 200;
  if (!web.listening) {
    web.listen(0, '127.0.0.1');
    await once(web, 'listening');
  }
  webPort = (web.address() as AddressInfo).port;
  mail = new FakeMail();
});
afterEach(async () => {
  const stopped = hub.stop();
  await pass(0);
  await stopped;
  database.close();
  mail.close();
  web.closeAllConnections();
});

const arrived = (count: number) => until(`${count} arrived`, () => posts.length === count, 5000);
const tried = (count: number) => until(`${count} tried`, () => delivered.length === count, 5000);

test('a webhook gets what Alertmanager would send', async () => {
  open();
  hub.send([alert('a'), alert('b'), alert('c', false, 'info')]);
  await pass(10_000);
  await arrived(1);
  const startsAt = '2027-01-15T08:00:00.000Z';
  expect(posts[0]).toMatchObject({
    path: '/hook',
    body: {
      version: '4',
      receiver: 'team',
      status: 'firing',
      groupLabels: { alertname: 'Down' },
      commonLabels: { alertname: 'Down', severity: 'page' },
      commonAnnotations: {},
      externalURL: 'http://narthex:9090',
      truncatedAlerts: 0,
      alerts: [
        { status: 'firing', labels: { host: 'a' }, startsAt, endsAt: '0001-01-01T00:00:00Z' },
        { status: 'firing', labels: { host: 'b' } },
      ],
    },
  });
  await tried(1);
  expect(delivered).toEqual(['team (webhook) 2 ok']);
  await pass(5000);
  hub.send([alert('a', true)]);
  await pass(MINUTE_MS);
  await arrived(2);
  expect(posts[1]!.body.alerts).toMatchObject([{ status: 'firing' }, { status: 'resolved' }]);
});

test('what fails is tried again, ever more seldom, with the newest that is to be said', async () => {
  open();
  status = 503;
  hub.send([alert('a')]);
  await pass(10_000);
  await tried(1);
  expect(hub.status().waiting).toMatchObject([
    { integration: 'team (webhook)', attemptCount: 1, alertCount: 1 },
  ]);
  expect(hub.status().receivers[0]!.lastError).toMatch(/^status 503 .*no such hook/);
  await pass(4900);
  expect(posts).toHaveLength(1);
  await pass(200);
  await tried(2);
  await pass(9000);
  expect(posts).toHaveLength(2);
  await pass(1500);
  await tried(3);
  // While it cannot be reached the alert ends and another begins.
  hub.send([alert('a', true), alert('b')]);
  await pass(MINUTE_MS);
  await until('merged', () => hub.status().waiting[0]?.alertCount === 2);
  expect(hub.status().waiting).toHaveLength(1);
  hub.send([alert('b', true), alert('c')]);
  await pass(MINUTE_MS);
  await until('merged again', () => hub.status().waiting[0]?.alertCount === 3);
  status = 200;
  const before = posts.length;
  await pass(6 * MINUTE_MS);
  await arrived(before + 1);
  const last = posts.at(-1)!.body.alerts as { labels: { host: string }; status: string }[];
  expect(last.map((one) => `${one.labels.host} ${one.status}`).sort()).toEqual([
    'a resolved',
    'b resolved',
    'c firing',
  ]);
  await until('nothing waits', () => hub.status().waiting.length === 0);
});

test('what has waited for a day is given up', async () => {
  open(CONFIG().replace('repeat_interval: 1h', 'repeat_interval: 1w'));
  status = 500;
  hub.send([alert('a')]);
  await pass(10_000);
  await tried(1);
  await pass(DAY_MS + MINUTE_MS);
  await until('given up', () => hub.status().waiting.length === 0);
});

test('a message that was on its way arrives after a restart, and only once', async () => {
  open();
  status = 500;
  hub.send([alert('a')]);
  await pass(10_000);
  await tried(1);
  const stopped = hub.stop();
  await pass(0);
  await stopped;
  posts = [];
  status = 200;
  open();
  hub.send([alert('a')]);
  await pass(MINUTE_MS);
  await arrived(1);
  await pass(30 * MINUTE_MS);
  expect(posts).toHaveLength(1);
});

test('mail says what it is about, and who logged in', async () => {
  const port = await mail.listen();
  open(`
group_wait: 0s
receivers:
- name: night
  email_configs:
  - {to: on-call@example.org, from: narthex@example.org, smarthost: "127.0.0.1:${port}",
     require_tls: false, auth_username: u, auth_password: p, send_resolved: false}
`);
  hub.send([alert('a')]);
  await pass(1);
  await until('mail came', () => mail.messages.length === 1);
  const [message] = mail.messages;
  expect(message).toMatch(/^Subject: \[FIRING:1\] Down \(a page\)$/m);
  expect(message).toMatch(/^To: on-call@example.org$/m);
  expect(message).toContain('FIRING Down since 2027-01-15T08:00:00.000Z');
  expect(message).toContain('summary: <a> & more');
  expect(mail.commands).toContain(`AUTH PLAIN ${Buffer.from('\0u\0p').toString('base64')}`);
  await tried(1);
  // The end is not wanted.
  hub.send([alert('a', true)]);
  await pass(10 * MINUTE_MS);
  expect(hub.status().waiting).toEqual([]);
  expect(mail.messages).toHaveLength(1);
});

test('mail is not sent in the clear unless that is allowed', async () => {
  const port = await mail.listen();
  open(`
group_wait: 0s
receivers:
- name: night
  email_configs: [{to: a@example.org, from: b@example.org, smarthost: "127.0.0.1:${port}"}]
`);
  hub.send([alert('a')]);
  await pass(1);
  await tried(1);
  expect(mail.messages).toEqual([]);
  expect(hub.status().receivers[0]!.lastError).toMatch(/TLS/i);
});

test('Slack gets one attachment, with its own characters escaped', async () => {
  open(`
group_wait: 0s
receivers:
- name: chat
  slack_configs: [{api_url: "http://127.0.0.1:${webPort}/slack", channel: "#ops", send_resolved: true}]
`);
  hub.send([alert('a')]);
  await pass(1);
  await arrived(1);
  expect(posts[0]!.body).toMatchObject({
    channel: '#ops',
    attachments: [
      {
        title: '[FIRING:1] Down (a page)',
        title_link: 'http://narthex:9090/alerts',
        color: '#d63939',
        text: expect.stringContaining('summary: &lt;a&gt; &amp; more'),
      },
    ],
  });
});
