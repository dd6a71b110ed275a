/** Groups that are left out because of a mistake in them: said in the log, in pages, in a figure. */
import type { Gauge, Logger, Registry } from '../model/index.ts';
import type { NotificationBoard } from '../web/index.ts';
import type { QuarantinedGroup } from './rules/index.ts';

export type QuarantineOptions = {
  readonly logger: Logger;
  readonly registry: Registry;
  readonly notifications: Pick<NotificationBoard, 'add' | 'remove'>;
};

export class RuleQuarantine {
  readonly #options: QuarantineOptions;
  readonly #count: Gauge;
  #groups: readonly QuarantinedGroup[] = [];

  constructor(options: QuarantineOptions) {
    this.#options = options;
    this.#count = options.registry.gauge(
      'narthex_rule_groups_quarantined',
      'The number of rule groups that are not evaluated because of a mistake in them.',
    );
  }

  get groups(): readonly QuarantinedGroup[] {
    return this.#groups;
  }

  set(groups: readonly QuarantinedGroup[]): void {
    const { logger, notifications } = this.#options;
    for (const group of this.#groups) notifications.remove(noticeOf(group));
    this.#groups = groups;
    this.#count.set(groups.length);
    for (const one of groups) {
      const { file, group, error } = one;
      logger.error('Rule group quarantined: it is not evaluated', { file, group, err: error });
      notifications.add(noticeOf(one));
    }
  }
}

function noticeOf({ file, group }: QuarantinedGroup): string {
  const what = group === '' ? `Rules of ${file}` : `Rule group "${group}" of ${file}`;
  return `${what} quarantined because of a mistake; see the log or the rules page.`;
}
