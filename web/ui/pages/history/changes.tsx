import { Button } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { type AlertEvent, type HistoryFilter, useAlertEvents } from '../../api/alert-history.ts';
import { Moment } from '../../parts/ago.tsx';
import { LabelChips } from '../../parts/labels.tsx';
import { compactNumber, countOf } from '../../parts/number-text.ts';
import { Card } from '../../parts/page.tsx';
import { Loaded } from '../../parts/state-views.tsx';
import { StatusBadge } from '../../parts/status-badge.tsx';
import { STATE_TONES } from '../alerts/state-tones.ts';
import classes from './history.module.css';
import { passes } from './passes.ts';

/** Every change of state, newest first. */
export function Changes({ filter, text }: { filter: HistoryFilter; text: string }) {
  const events = useAlertEvents(filter);
  return (
    <Card flush title="Changes">
      <Loaded query={events}>
        {({ pages }) => {
          const entries = pages.flatMap((page) => page.entries).filter((one) => passes(one, text));
          return (
            <div className={classes.scroll}>
              <table className={classes.table}>
                <thead>
                  <tr>
                    <th scope="col">When</th>
                    <th scope="col">Change</th>
                    <th scope="col">Alert</th>
                    <th scope="col" className={classes.number}>
                      Value
                    </th>
                    <th scope="col">Told</th>
                    <th scope="col">
                      <span className="nx-visually-hidden">More</span>
                    </th>
                  </tr>
                </thead>
                <tbody>
                  {entries.map((event) => (
                    <Row key={event.id} event={event} />
                  ))}
                </tbody>
              </table>
              {events.hasNextPage && (
                <div className={classes.more}>
                  <Button
                    variant="default"
                    size="xs"
                    loading={events.isFetchingNextPage}
                    onClick={() => void events.fetchNextPage()}
                  >
                    Show older changes
                  </Button>
                </div>
              )}
            </div>
          );
        }}
      </Loaded>
    </Card>
  );
}

function Row({ event }: { event: AlertEvent }) {
  const { at, from, to, rule, labels, value, deliveries, id } = event;
  const number = Number(value);
  return (
    <tr>
      <td className={classes.when}>
        <Moment ms={Date.parse(at)} />
      </td>
      <td className={classes.change}>
        <StatusBadge tone={to === 'inactive' ? 'ok' : STATE_TONES[to]}>
          {to === 'inactive' ? 'ended' : to}
        </StatusBadge>
        {from !== 'inactive' && <span className="nx-dim"> was {from}</span>}
      </td>
      <td className={classes.wide}>
        <span className={classes.rule}>{rule}</span>{' '}
        <LabelChips labels={labels} without="alertname" />
      </td>
      <td className={classes.number} data-tip={value}>
        {Number.isNaN(number) ? value : compactNumber(number)}
      </td>
      <td>
        <Deliveries deliveries={deliveries} />
      </td>
      <td>
        <Link to="/alert-why" search={{ event: id }}>
          Why
        </Link>
      </td>
    </tr>
  );
}

function Deliveries({ deliveries }: Pick<AlertEvent, 'deliveries'>) {
  if (deliveries.length === 0) return <span className="nx-dim">nobody</span>;
  // The last word of each receiver counts; a failure that was made good is no failure.
  const last = new Map(deliveries.map((delivery) => [delivery.url, delivery]));
  const failed = [...last.values()].filter(({ error }) => error !== undefined);
  const told = last.size - failed.length;
  const tip = [...last.values()].map(({ url, error }) => `${url}: ${error ?? 'accepted'}`);
  return (
    <span data-tip={tip.join('\n')} className={classes.told}>
      {told > 0 && <span>{countOf(told, 'receiver')}</span>}
      {failed.length > 0 && <span data-tone="bad">{failed.length} failed</span>}
    </span>
  );
}
