import { type Receiver, useReceivers, type WaitingMessage } from '../../api/alert-history.ts';
import { Ago } from '../../parts/ago.tsx';
import { countOf } from '../../parts/number-text.ts';
import { Card } from '../../parts/page.tsx';
import { StatusBadge } from '../../parts/status-badge.tsx';
import classes from './alertmanagers.module.css';

/** Receivers of the notifications file, and what has not reached them yet. */
export function Receivers() {
  const { data } = useReceivers();
  const { receivers = [], waiting = [] } = data ?? {};
  return (
    <>
      <Card title={`Receivers (${receivers.length})`} flush>
        <ul className={classes.list}>
          {receivers.map((one) => (
            <ReceiverRow key={one.label} receiver={one} />
          ))}
        </ul>
      </Card>
      {waiting.length > 0 && (
        <Card title={`Waiting messages (${waiting.length})`} flush>
          <ul className={classes.list}>
            {waiting.map((one) => (
              <WaitingRow key={`${one.integration} ${one.groupKey}`} message={one} />
            ))}
          </ul>
        </Card>
      )}
    </>
  );
}

function ReceiverRow({ receiver }: { receiver: Receiver }) {
  const { label, target, groupCount, last, lastError } = receiver;
  const tone = last === undefined ? 'idle' : lastError === undefined ? 'ok' : 'bad';
  const word = { idle: 'nothing sent yet', ok: 'reached', bad: 'failing' }[tone];
  return (
    <li className={classes.receiver}>
      <span className={classes.name}>{label}</span>
      <span className="nx-dim">{target}</span>
      <span className={classes.state}>
        {groupCount > 0 && <span className="nx-dim">{countOf(groupCount, 'active group')}</span>}
        {last !== undefined && <Ago iso={last} />}
        <StatusBadge tone={tone}>{word}</StatusBadge>
      </span>
      {lastError !== undefined && <p className={classes.error}>{lastError}</p>}
    </li>
  );
}

function WaitingRow({ message }: { message: WaitingMessage }) {
  const { integration, groupKey, alertCount, attemptCount, error } = message;
  return (
    <li className={classes.receiver}>
      <span className={classes.name}>{integration}</span>
      <span className="nx-mono">{groupKey}</span>
      <span className={classes.state}>
        <span className="nx-dim">
          {countOf(alertCount, 'alert')}, tried {countOf(attemptCount, 'time')}
        </span>
      </span>
      {error !== undefined && <p className={classes.error}>{error}</p>}
    </li>
  );
}
