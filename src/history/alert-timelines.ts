/** The changes of alerts as spans of time: what was pending or firing from when to when. */
import type { Database } from 'better-sqlite3';
import type {
  AlertSpan,
  AlertTimeline,
  AlertTimelineRequest,
  AlertTimelines,
  LabelObject,
} from '../../web/index.ts';
import { alertFilter } from './alert-filter.ts';

/** Changes that one answer goes through, the newest first. */
const EVENT_COUNT_MAX = 50_000;
/** Of what changed after the time asked for: it tells what went on all the while. */
const LATER_COUNT_MAX = 10_000;

type State = AlertSpan['state'] | 'inactive';

type Event = {
  readonly id: number;
  readonly atMs: number;
  readonly fingerprint: string;
  readonly fromState: State;
  readonly toState: State;
  readonly activeAtMs: number;
  readonly value: string;
};

const SELECT_EVENT = `SELECT id, at_ms AS atMs, fingerprint, from_state AS fromState,
       to_state AS toState, active_at_ms AS activeAtMs, value FROM alert_event`;

type Facts = Omit<AlertTimeline, 'spans' | 'isActive' | 'labels' | 'annotations'> & {
  readonly labels: string;
  readonly annotations: string;
};

/** @param active  fingerprints of the alerts that are pending or firing now */
export function readTimelines(
  database: Database,
  request: AlertTimelineRequest,
  active: ReadonlySet<string>,
): AlertTimelines {
  const { minMs, maxMs, limit, alertName, matcherSets } = request;
  const inside = readEvents(database, request, minMs, maxMs, true);
  const events = new Map<string, Event[]>();
  for (const event of inside) {
    const same = events.get(event.fingerprint);
    if (same === undefined) events.set(event.fingerprint, [event]);
    else same.push(event);
  }
  // What began before and ends afterwards has no change inside.
  const ends = new Map<string, number>();
  for (const later of readEvents(database, request, maxMs + 1, Number.MAX_SAFE_INTEGER, false)) {
    if (!ends.has(later.fingerprint)) ends.set(later.fingerprint, later.atMs);
    if (!events.has(later.fingerprint)) events.set(later.fingerprint, []);
  }
  for (const fingerprint of active) {
    const isAskedFor = request.fingerprint === '' || request.fingerprint === fingerprint;
    if (isAskedFor && !events.has(fingerprint)) events.set(fingerprint, []);
  }

  const isWanted = alertFilter(matcherSets);
  const readFacts = database.prepare(
    `SELECT fingerprint, rule, group_name AS "group", file, text AS query, labels, annotations
       FROM alert_event JOIN query_text ON query_text.id = query_id
      WHERE fingerprint = ? ORDER BY alert_event.id DESC LIMIT 1`,
  );
  const readBefore = database.prepare(
    `${SELECT_EVENT} WHERE fingerprint = ? AND at_ms < ? ORDER BY id DESC LIMIT 1`,
  );
  const gaps = readGaps(database);
  const alerts: AlertTimeline[] = [];
  let isCut = inside.length >= EVENT_COUNT_MAX;
  for (const [fingerprint, newestFirst] of events) {
    if (alerts.length >= limit) {
      isCut = true;
      break;
    }
    const facts = readFacts.get(fingerprint) as Facts | undefined;
    if (facts === undefined || (alertName !== '' && facts.rule !== alertName)) continue;
    const labels = JSON.parse(facts.labels) as LabelObject;
    if (!isWanted(labels)) continue;
    const before = readBefore.get(fingerprint, minMs) as Event | undefined;
    const endMs = ends.get(fingerprint) ?? null;
    const whole = spansOf(before ?? null, newestFirst.toReversed(), endMs);
    const spans = whole.map((span) => cutAtGap(span, gaps)).filter(reachesInto(minMs));
    if (spans.length === 0) continue;
    const annotations = JSON.parse(facts.annotations) as LabelObject;
    const isActive = active.has(fingerprint);
    alerts.push({ ...facts, labels, annotations, isActive, spans });
  }
  return { alerts, isCut };
}

/** A time in which nobody watched: from when the server was last seen to its next start. */
type Gap = { readonly startMs: number; readonly endMs: number };

/** Oldest first. */
function readGaps(database: Database): readonly Gap[] {
  const watches = database
    .prepare('SELECT started_ms AS startedMs, seen_ms AS seenMs FROM alert_watch ORDER BY id')
    .all() as { startedMs: number; seenMs: number }[];
  return watches
    .slice(1)
    .map(({ startedMs }, index) => ({ startMs: watches[index]!.seenMs, endMs: startedMs }));
}

/** Of what was so when the server stopped it is not known for how long it went on. */
function cutAtGap(span: AlertSpan, gaps: readonly Gap[]): AlertSpan {
  const { startMs, endMs } = span;
  const gap = gaps.find((one) => one.endMs > (startMs ?? -Infinity));
  if (gap === undefined || (endMs !== null && endMs <= gap.endMs)) return span;
  return { ...span, endMs: Math.max(startMs ?? gap.startMs, gap.startMs) };
}

const reachesInto =
  (minMs: number) =>
  ({ endMs }: AlertSpan): boolean =>
    endMs === null || endMs >= minMs;

/** Newest first. */
function readEvents(
  database: Database,
  { fingerprint, alertName }: AlertTimelineRequest,
  minMs: number,
  maxMs: number,
  isNewestFirst: boolean,
): readonly Event[] {
  const conditions = ['at_ms BETWEEN ? AND ?'];
  const values: (string | number)[] = [minMs, maxMs];
  if (fingerprint !== '') {
    conditions.push('fingerprint = ?');
    values.push(fingerprint);
  }
  if (alertName !== '') {
    conditions.push('rule = ?');
    values.push(alertName);
  }
  const order = isNewestFirst ? 'DESC' : 'ASC';
  return database
    .prepare(
      `${SELECT_EVENT} WHERE ${conditions.join(' AND ')}
        ORDER BY at_ms ${order}, id ${order} LIMIT ?`,
    )
    .all(...values, isNewestFirst ? EVENT_COUNT_MAX : LATER_COUNT_MAX) as Event[];
}

/** @param events  oldest first; `before` is the one before them, `endMs` the time of the one after */
function spansOf(
  before: Event | null,
  events: readonly Event[],
  endMs: number | null,
): AlertSpan[] {
  const spans: AlertSpan[] = [];
  let open: AlertSpan | null = before === null ? null : spanFrom(before);
  const [first] = events;
  if (before === null && first !== undefined && first.fromState !== 'inactive') {
    // The history forgot the beginning; a pending alert knows its own.
    const startMs = first.fromState === 'pending' ? first.activeAtMs : null;
    open = { state: first.fromState, startMs, endMs: null, value: null, eventId: null };
  }
  for (const event of events) {
    if (open !== null) spans.push({ ...open, endMs: event.atMs });
    open = spanFrom(event);
  }
  if (open !== null) spans.push({ ...open, endMs });
  return spans;
}

function spanFrom({ toState, atMs, value, id }: Event): AlertSpan | null {
  if (toState === 'inactive') return null;
  return { state: toState, startMs: atMs, endMs: null, value: Number(value), eventId: id };
}
