/**
 * Credentials that a command of the user prints, as kubeconfig files may ask for: a token, a client
 * certificate, or both, good for some time.
 * Source: Kubernetes documentation, "Authenticating: client-go credential plugins".
 */
import { execFile } from 'node:child_process';
import path from 'node:path';
import { type Clock, ValueError } from '../../../model/index.ts';
import type { HttpClientConfig } from '../../config.ts';
import type { ApiAccess } from '../platform-api.ts';

/** The section `exec` of a kubeconfig file's user. */
export type ExecSection = {
  readonly apiVersion?: unknown;
  readonly command?: unknown;
  readonly args?: unknown;
  readonly env?: unknown;
  readonly interactiveMode?: unknown;
  readonly provideClusterInfo?: unknown;
};

type Status = {
  readonly token?: unknown;
  readonly clientCertificateData?: unknown;
  readonly clientKeyData?: unknown;
  readonly expirationTimestamp?: unknown;
};
type Command = {
  readonly apiVersion: string;
  readonly file: string;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
};

const API_VERSIONS: ReadonlySet<unknown> = new Set([
  'client.authentication.k8s.io/v1',
  'client.authentication.k8s.io/v1beta1',
]);
const COMMAND_TIMEOUT_MS = 60_000;
const OUTPUT_SIZE_MAX_BYTES = 1024 * 1024;

/** Asks the command once, and again when its credentials have ended or are refused. */
export class ExecAccess implements ApiAccess {
  readonly #command: Command;
  readonly #base: HttpClientConfig;
  readonly #clock: Clock;
  #config: HttpClientConfig | null = null;
  #endMs = Infinity;
  #asking: Promise<HttpClientConfig> | null = null;

  /**
   * @param cluster  the kubeconfig's section about the cluster, for commands that want to know
   * @param folder   of the kubeconfig file, from where relative commands are meant
   * @throws ValueError when the section cannot be used
   */
  constructor(
    section: ExecSection,
    cluster: Readonly<Record<string, unknown>>,
    folder: string,
    base: HttpClientConfig,
    clock: Clock,
  ) {
    this.#command = commandOf(section, cluster, folder);
    this.#base = base;
    this.#clock = clock;
  }

  async httpClient(): Promise<HttpClientConfig> {
    if (this.#config !== null && this.#clock.nowMs() < this.#endMs) return this.#config;
    this.#asking ??= this.#ask().finally(() => (this.#asking = null));
    return this.#asking;
  }

  refused(): void {
    this.#config = null;
  }

  async #ask(): Promise<HttpClientConfig> {
    const status = parseCredential(await run(this.#command), this.#command);
    const text = (key: keyof Status) => (typeof status[key] === 'string' ? status[key] : '');
    const token = text('token');
    const cert = text('clientCertificateData');
    if (token === '' && cert === '') {
      throw new ValueError(`${this.#command.file} printed neither a token nor a certificate`);
    }
    this.#endMs = Date.parse(text('expirationTimestamp')) || Infinity;
    this.#config = {
      ...this.#base,
      authorization:
        token === '' ? null : { type: 'Bearer', credentials: token, credentialsFile: '' },
      tls: cert === '' ? this.#base.tls : { ...this.#base.tls, cert, key: text('clientKeyData') },
    };
    return this.#config;
  }
}

function commandOf(
  section: ExecSection,
  cluster: Readonly<Record<string, unknown>>,
  folder: string,
): Command {
  const { apiVersion, command, args, env, interactiveMode, provideClusterInfo } = section;
  if (typeof command !== 'string' || command === '') {
    throw new ValueError('exec plugin: command must be specified');
  }
  if (typeof apiVersion !== 'string' || !API_VERSIONS.has(apiVersion)) {
    throw new ValueError(`exec plugin: invalid apiVersion ${JSON.stringify(apiVersion ?? '')}`);
  }
  if (interactiveMode === 'Always') {
    throw new ValueError(`exec plugin: ${command} wants a terminal, and a server has none`);
  }
  const variables = (Array.isArray(env) ? env : []) as { name?: unknown; value?: unknown }[];
  const info = {
    kind: 'ExecCredential',
    apiVersion,
    spec: {
      ...(provideClusterInfo === true ? { cluster: { ...cluster, config: null } } : {}),
      interactive: false,
    },
  };
  return {
    apiVersion,
    // A bare name is looked up in the PATH.
    file: /[/\\]/.test(command) ? path.resolve(folder, command) : command,
    args: Array.isArray(args) ? args.map(String) : [],
    environment: {
      ...Object.fromEntries(variables.map(({ name, value }) => [String(name), String(value)])),
      KUBERNETES_EXEC_INFO: JSON.stringify(info),
    },
  };
}

function run({ file, args, environment }: Command): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = {
      env: { ...process.env, ...environment },
      timeout: COMMAND_TIMEOUT_MS,
      maxBuffer: OUTPUT_SIZE_MAX_BYTES,
    };
    const child = execFile(file, args, options, (error, stdout, stderr) => {
      if (error === null) return resolve(stdout);
      const said = stderr.trim().slice(0, 200);
      const why = said === '' ? error.message : said;
      reject(new ValueError(`exec plugin: ${file} failed: ${why}`, { cause: error }));
    });
    child.stdin?.end();
  });
}

function parseCredential(text: string, { file, apiVersion }: Command): Status {
  let answer: { kind?: unknown; apiVersion?: unknown; status?: Status | null } | null;
  try {
    answer = JSON.parse(text) as typeof answer;
  } catch (error) {
    throw new ValueError(`exec plugin: ${file} did not print JSON`, { cause: error });
  }
  if (answer?.kind !== 'ExecCredential' || answer.apiVersion !== apiVersion) {
    throw new ValueError(`exec plugin: ${file} did not print an ExecCredential of ${apiVersion}`);
  }
  return answer.status ?? {};
}
