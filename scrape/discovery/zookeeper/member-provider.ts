/** Targets that announce themselves by nodes in ZooKeeper, each with a JSON text. */
import { CanceledError, messageOf } from '../../../model/index.ts';
import type { LabelRecord, TargetGroup } from '../../config.ts';
import type { CreatePlatform } from '../platform-api.ts';
import type { DiscoveryProvider, ProviderContext } from '../provider.ts';
import { ZooKeeperClient } from './zookeeper-client.ts';

type ZooKeeperSettings = {
  readonly servers: readonly string[];
  readonly paths: readonly string[];
  readonly timeout: number;
};

/** Makes a target of what a node says; null, or an error, for one that is no member. */
export type ParseMember = (member: Readonly<Record<string, unknown>>) => LabelRecord | null;

/** Changes come in bursts. */
const SETTLE_MS = 100;
const RETRY_MS = 1000;

/** @param pathLabel  takes the path of the node */
export function memberPlatform(pathLabel: string, parse: ParseMember): CreatePlatform {
  return (config, context) =>
    new MemberProvider(
      config.mechanism,
      config.settings as ZooKeeperSettings,
      context,
      pathLabel,
      parse,
    );
}

class MemberProvider implements DiscoveryProvider {
  readonly #mechanism: string;
  readonly #settings: ZooKeeperSettings;
  readonly #context: ProviderContext;
  readonly #pathLabel: string;
  readonly #parse: ParseMember;
  readonly #stop = new AbortController();
  #client: ZooKeeperClient | null = null;

  constructor(
    mechanism: string,
    settings: ZooKeeperSettings,
    context: ProviderContext,
    pathLabel: string,
    parse: ParseMember,
  ) {
    this.#mechanism = mechanism;
    this.#settings = settings;
    this.#context = context;
    this.#pathLabel = pathLabel;
    this.#parse = parse;
  }

  start(update: (groups: readonly TargetGroup[]) => void): void {
    void this.#run(update);
  }

  stop(): void {
    this.#stop.abort();
    this.#client?.close();
  }

  /** Connects to one server after the other; what is known stays meanwhile. */
  async #run(update: (groups: readonly TargetGroup[]) => void): Promise<void> {
    const { metrics, logger, jobName } = this.#context;
    const { servers } = this.#settings;
    for (let attempt = 0; !this.#stop.signal.aborted; attempt++) {
      try {
        await this.#follow(servers[attempt % servers.length]!, update);
      } catch (error) {
        if (this.#stop.signal.aborted) return;
        metrics.refreshFailed(this.#mechanism, jobName);
        logger.error('Connection to ZooKeeper lost', {
          discovery: this.#mechanism,
          config: jobName,
          err: messageOf(error),
        });
      }
      if (!(await this.#sleep(RETRY_MS))) return;
    }
  }

  /** Reads everything, and again after each change, until the connection ends. */
  async #follow(server: string, update: (groups: readonly TargetGroup[]) => void): Promise<void> {
    let changed: () => void = () => {};
    let isChanged = false;
    const client = new ZooKeeperClient(server, this.#settings.timeout, () => {
      isChanged = true;
      changed();
    });
    this.#client = client;
    try {
      await client.connected();
      for (;;) {
        isChanged = false;
        const groups = await Promise.all(
          this.#settings.paths.map((path) => this.#readTree(client, path)),
        );
        if (this.#stop.signal.aborted) return;
        update(groups);
        const change = new Promise<void>((resolve) => (changed = resolve));
        if (!isChanged) await Promise.race([change, client.ended]);
        if (!(await this.#sleep(SETTLE_MS))) return;
      }
    } finally {
      client.close();
    }
  }

  /** A path may be that of one set, or the root of a tree of sets. */
  async #readTree(client: ZooKeeperClient, root: string): Promise<TargetGroup> {
    const targets: LabelRecord[] = [];
    const visit = async (path: string): Promise<void> => {
      const [text, names] = await Promise.all([client.data(path), client.children(path)]);
      const target = text === null || text === '' ? null : this.#targetOf(path, text);
      if (target !== null) targets.push(target);
      const below = (names ?? []).toSorted();
      await Promise.all(below.map((name) => visit(path === '/' ? `/${name}` : `${path}/${name}`)));
    };
    await visit(root);
    return { source: root, labels: {}, targets };
  }

  #targetOf(path: string, text: string): LabelRecord | null {
    try {
      const member: unknown = JSON.parse(text);
      if (typeof member !== 'object' || member === null) return null;
      const labels = this.#parse(member as Record<string, unknown>);
      return labels === null ? null : { ...labels, [this.#pathLabel]: path };
    } catch {
      // Nodes on the way to the members may hold anything.
      return null;
    }
  }

  /** False when it is time to stop. */
  async #sleep(delayMs: number): Promise<boolean> {
    try {
      await this.#context.clock.sleep(delayMs, this.#stop.signal);
      return !this.#stop.signal.aborted;
    } catch (error) {
      if (error instanceof CanceledError) return false;
      throw error;
    }
  }
}
