/**
 * The same requests to a real Prometheus and to us: status, headers and bodies of whatever does not
 * depend on data.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Listener } from '../../web/index.ts';
import { exactPrometheus } from '../support/installed.ts';
import { listenLocally, requestRaw } from './fake-house.ts';
import { houseWithLanguage } from './real-language.ts';
import { freePort } from '../src/support/server.ts';

const binary = exactPrometheus();

/** `METHOD path`, then headers. */
const REQUESTS: readonly [line: string, headers?: Readonly<Record<string, string>>][] = [
  ['OPTIONS /api/v1/query'],
  ['OPTIONS /api/v1/query', { origin: 'http://x.example' }],
  ['OPTIONS /api/v1/nope'],
  ['OPTIONS /-/healthy'],
  ['OPTIONS /metrics'],
  ['GET /api/v1/query?query=1&time=5', { origin: 'http://x.example' }],
  ['GET /api/v1/query?query=1&time=5', { 'accept-encoding': 'br, zstd' }],
  ['PUT /api/v1/query'],
  ['DELETE /api/v1/series'],
  ['POST /api/v1/label/job/values'],
  ['POST /api/v1/status/config'],
  ['PATCH /api/v1/rules'],
  ['HEAD /api/v1/labels'],
  ['GET /-/reload'],
  ['GET /-/quit'],
  ['POST /-/reload'],
  ['PUT /-/quit'],
  ['POST /-/healthy'],
  ['GET /-/healthy'],
  ['GET /-/ready'],
  ['HEAD /metrics'],
  ['POST /metrics'],
  ['POST /federate'],
  ['GET /federate'],
  ['GET /federate?match[]='],
  ['GET /federate?match[]=x{'],
  ['GET /federate?match[]=nope', { accept: 'text/plain;version=1.0.0;escaping=allow-utf-8' }],
  ['POST /api/v1/admin/tsdb/snapshot'],
  ['GET /api/v1/admin/tsdb/snapshot'],
  ['PUT /api/v1/admin/tsdb/delete_series'],
  ['GET /api/v1/status/tsdb?limit=0'],
  ['GET /api/v1/status/tsdb?limit=10001'],
  ['GET /api/v1/targets/relabel_steps'],
  ['GET /api/v1/targets/relabel_steps?scrapePool=nope&labels={}'],
  ['GET /api/v1/targets?state=foo&scrapePool=nope'],
  ['GET /api/v1/metadata?limit=x'],
  ['GET /api/v1/metadata?metric=nope'],
  ['GET /api/v1/alerts'],
  ['GET /api/v1/alertmanagers'],
  ['GET /api/v1/rules'],
  ['GET /api/v1/rules?group_limit=1'],
  ['GET /api/v1/rules?type=foo'],
  ['GET /api/v1/rules?match[]=x{'],
  ['GET /api/v1/rules?exclude_alerts=x'],
  ['GET /api/v1/rules?group_limit=1&group_next_token=abc'],
  ['GET /api/v1/labels?limit=1.5'],
  ['GET /api/v1/labels?match[]=nope&start=10&end=5'],
  ['GET /api/v1/label/U__/values'],
  ['GET /api/v1/label/job/values?start=x&limit=x&match[]=x{'],
  ['GET /api/v1/series?start=x&match[]=up{'],
  ['GET /api/v1/series?limit=x'],
  ['GET /api/v1/series?match[]={}'],
  ['GET /api/v1/query?query=1(&time=x&timeout=y&limit=z&lookback_delta=q'],
  ['GET /api/v1/query?query=1(&time=x&timeout=y'],
  ['GET /api/v1/query?query=1(&timeout=y&lookback_delta=q'],
  ['GET /api/v1/query?query=1(&lookback_delta=q'],
  ['GET /api/v1/query?query=1;time=5'],
  ['GET /api/v1/query?query=%zz'],
  ['GET /api/v1/query?query=7&query=8&time=1'],
  ['GET /api/v1/query_range?query=up(&start=5&end=3&step=z&timeout=q'],
  ['GET /api/v1/query_range?query=up(&start=0&end=1e6&step=1&timeout=q'],
  ['GET /api/v1/query_range?query=1&start=0&end=0.003&step=0.0019'],
  ['GET /api/v1/query_exemplars?query=1'],
  ['GET /api/v1/query_exemplars?query=up(&start=5&end=3'],
  ['GET /api/v1/format_query?query=foo/bar'],
  ['GET /api/v1/parse_query?query=foo/bar'],
  ['GET /'],
  ['GET /graph?g0.expr=up&g0.tab=1'],
  ['GET /query/'],
  ['GET /METRICS'],
  ['GET //metrics'],
  ['GET /api/../metrics'],
  ['GET /api/v1//query?query=1'],
  ['GET /api/v1/label//values'],
  ['GET /api/v1/label/a%2Fb/values'],
  ['GET /api/v1/nope'],
  ['GET /api/v1/'],
  ['GET /classic/graph'],
  ['GET /assets/nope.js'],
];
const COMPARED_HEADERS = [
  'access-control-allow-headers',
  'access-control-allow-methods',
  'access-control-allow-origin',
  'access-control-expose-headers',
  'allow',
  'cache-control',
  'content-encoding',
  'content-type',
  'location',
  'vary',
  'x-content-type-options',
  'x-prometheus-stopping',
];

describe.runIf(binary !== null)('a real Prometheus and we', () => {
  let directory = '';
  let oracle: ChildProcess | undefined;
  let oracleUrl = '';
  let listener: Listener | undefined;
  let ourUrl = '';

  beforeAll(async () => {
    directory = mkdtempSync(path.join(tmpdir(), 'narthex-oracle-'));
    writeFileSync(path.join(directory, 'empty.yml'), 'scrape_configs: []\n');
    const port = await freePort();
    oracleUrl = `http://127.0.0.1:${port}`;
    const flags = [
      `--config.file=${path.join(directory, 'empty.yml')}`,
      `--storage.tsdb.path=${path.join(directory, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ];
    oracle = spawn(binary!, flags, { stdio: 'ignore' });
    while (!(await isReady(oracleUrl))) await new Promise((resolve) => setTimeout(resolve, 50));
    ({ url: ourUrl, listener } = await listenLocally(houseWithLanguage()));
  });
  afterAll(async () => {
    oracle?.kill();
    if (oracle !== undefined) await once(oracle, 'exit');
    await listener?.close();
    rmSync(directory, { recursive: true });
  });

  test.each(REQUESTS.map(([line, headers = {}]) => ({ line, headers })))(
    'answer $line alike',
    async ({ line, headers }) => {
      const [method = '', target = ''] = line.split(' ');
      const ask = async (url: string) => {
        const { response, body } = await requestRaw(url, target, { method, headers });
        const shown = COMPARED_HEADERS.map((name) => [name, response.headers[name]]);
        return {
          status: response.statusCode,
          headers: Object.fromEntries(shown),
          body: plain(body),
        };
      };
      expect(await ask(ourUrl)).toEqual(await ask(oracleUrl));
    },
  );
});

/** JSON by what it says: members of an object may come in another order. */
function plain(body: string): unknown {
  return body.startsWith('{') ? JSON.parse(body) : body;
}

async function isReady(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/-/ready`)).ok;
  } catch {
    return false;
  }
}
