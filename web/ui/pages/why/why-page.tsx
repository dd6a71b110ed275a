/** /alert-why: an alert's expression in its parts, with what each gave at one moment. */
import { Link } from '@tanstack/react-router';
import { type AlertReport, useAlertReport } from '../../api/alert-history.ts';
import { Moment } from '../../parts/ago.tsx';
import { PromqlText } from '../../parts/editor/promql-text.tsx';
import { LabelChips, SeriesName } from '../../parts/labels.tsx';
import { Notice } from '../../parts/notice.tsx';
import { Card, Page } from '../../parts/page.tsx';
import { QueryLink } from '../../parts/query-url/query-link.tsx';
import { Loaded } from '../../parts/state-views.tsx';
import { StatusBadge } from '../../parts/status-badge.tsx';
import { formatDurationMs } from '../../parts/time/duration.ts';
import { MomentInput } from '../../parts/time/moment-input.tsx';
import { momentFromUrl, momentToUrl } from '../../parts/time/moment-text.ts';
import { useUrlFilters } from '../../parts/url-filters.ts';
import { STATE_TONES } from '../alerts/state-tones.ts';
import { Part } from './part.tsx';
import classes from './why.module.css';

const KEYS = ['event', 'alertname', 'rule_group', 'file', 'query', 'labels'] as const;
const STEP_MS = 60_000;

export default function WhyPage() {
  const [search, change] = useUrlFilters<(typeof KEYS)[number] | 'time'>();
  const timeMs = momentFromUrl(search.time ?? '');
  const report = useAlertReport({
    ...Object.fromEntries(KEYS.map((key) => [key, search[key]])),
    time: timeMs === undefined ? undefined : timeMs / 1000,
  });
  const found = report.data;
  const name = found?.event?.rule ?? search.alertname;
  return (
    <Page
      title={name === undefined ? 'Why' : `Why ${name}?`}
      intro="The expression in its parts, and what each of them gave at one moment."
      aside={
        <MomentInput
          label="Moment"
          momentMs={timeMs ?? (search.event && found ? Date.parse(found.time) : undefined)}
          stepMs={STEP_MS}
          onChange={(ms) => change({ time: ms === undefined ? '' : momentToUrl(ms) })}
        />
      }
    >
      <Loaded query={report}>{(data) => <Report report={data} />}</Loaded>
    </Page>
  );
}

function Report({ report }: { report: AlertReport }) {
  const { verdict, query, time, labels, state, rule, event, root } = report;
  const holds = root.relatedCount > 0;
  return (
    <>
      <Notice tone={holds ? 'warn' : 'info'} title={verdict} />
      <Card
        title="The question"
        aside={
          <span className={classes.links}>
            <QueryLink expr={query}>Open as a query</QueryLink>
            {event !== undefined && (
              <Link to="/alert-history" search={{ alert: event.fingerprint }}>
                History
              </Link>
            )}
          </span>
        }
      >
        <dl className={classes.facts}>
          <dt>Moment</dt>
          <dd>
            <Moment ms={Date.parse(time)} />
          </dd>
          {state !== undefined && (
            <>
              <dt>State then</dt>
              <dd>
                <StatusBadge tone={STATE_TONES[state]}>{state}</StatusBadge>
              </dd>
            </>
          )}
          {labels !== undefined && (
            <>
              <dt>Alert</dt>
              <dd>
                <LabelChips labels={labels} without="alertname" />
              </dd>
            </>
          )}
          {rule !== undefined && rule.duration > 0 && (
            <>
              <dt>Fires</dt>
              <dd>after it has held for {formatDurationMs(rule.duration * 1000)}</dd>
            </>
          )}
          <dt>Expression</dt>
          <dd>
            <PromqlText expr={query} />
          </dd>
        </dl>
      </Card>
      <Card flush title="What its parts gave">
        <Part part={root} depth={0} />
      </Card>
      {event?.samples !== undefined && event.samples.length > 0 && (
        <Card flush title="Samples kept when it happened">
          {event.samples.map(({ selector, seriesCount, samples }) => (
            <div key={selector} className={classes.part}>
              <PromqlText expr={selector} />
              <table className={classes.rows}>
                <tbody>
                  {samples.map((sample) => (
                    <tr key={JSON.stringify(sample.labels)}>
                      <td>
                        <SeriesName labels={sample.labels} />
                      </td>
                      <td className={classes.value}>{sample.value}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
              {seriesCount > samples.length && (
                <p className={classes.more}>and {seriesCount - samples.length} more</p>
              )}
            </div>
          ))}
        </Card>
      )}
    </>
  );
}
