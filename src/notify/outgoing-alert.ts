/** An alert on its way to an Alertmanager. Source: Alertmanager API v2, `postableAlert`. */
import { Labels, type Relabeler } from '../../model/index.ts';

export type OutgoingAlert = {
  readonly labels: Labels;
  readonly annotations: Labels;
  readonly startsAtMs: number;
  readonly endsAtMs: number;
  readonly generatorUrl: string;
  readonly isResolved: boolean;
  /** As its rule gave them, whatever is done to `labels` on the way. */
  readonly ruleLabels: Labels;
};

/** Labels that alerts get where they have none of that name. */
export function withExternalLabels(
  alert: OutgoingAlert,
  external: Readonly<Record<string, string>>,
): OutgoingAlert {
  const labels = Labels.fromPairs([...Object.entries(external), ...alert.labels]);
  return { ...alert, labels };
}

/** Those that `relabeler` keeps, relabelled. */
export function relabelAlerts(
  alerts: readonly OutgoingAlert[],
  relabeler: Relabeler,
): readonly OutgoingAlert[] {
  if (relabeler.isEmpty) return alerts;
  return alerts.flatMap((alert) => {
    const labels = relabeler.apply(alert.labels);
    return labels === null ? [] : [{ ...alert, labels }];
  });
}

/** Body of `POST /api/v2/alerts`. */
export function alertsBody(alerts: readonly OutgoingAlert[]): string {
  return JSON.stringify(
    alerts.map(({ labels, annotations, startsAtMs, endsAtMs, generatorUrl }) => ({
      ...(annotations.size === 0 ? {} : { annotations: annotations.toObject() }),
      endsAt: new Date(endsAtMs).toISOString(),
      startsAt: new Date(startsAtMs).toISOString(),
      generatorURL: generatorUrl,
      labels: labels.toObject(),
    })),
  );
}
