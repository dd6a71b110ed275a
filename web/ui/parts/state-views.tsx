/** What a page shows instead of its content: waiting, nothing there, gone wrong. */
import { Button, Loader } from '@mantine/core';
import { IconAlertTriangle, IconPlugConnectedX } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { ApiError, UnreachableError } from '../api/transport.ts';
import classes from './state-views.module.css';

export function Waiting({ what = 'Loading' }: { what?: string }) {
  return (
    <div className={classes.state} role="status">
      <Loader size="sm" type="dots" />
      <span className="nx-visually-hidden">{what}</span>
    </div>
  );
}

/** Before the first answer: either it is on its way, or it was called off. */
export function Unanswered({ isFetching }: { isFetching: boolean }) {
  if (isFetching) return <Waiting what="Running the query" />;
  return <Empty title="Stopped before there was a result" />;
}

export function Empty({
  icon,
  title,
  children,
}: {
  icon?: ReactNode;
  title: string;
  children?: ReactNode;
}) {
  return (
    <div className={classes.state}>
      {icon !== undefined && <div className={classes.icon}>{icon}</div>}
      <h2 className={classes.title}>{title}</h2>
      {children !== undefined && <div className={classes.text}>{children}</div>}
    </div>
  );
}

export function Failure({ error, retry }: { error: Error; retry?: () => void }) {
  const isUnreachable = error instanceof UnreachableError;
  return (
    <div className={classes.state} role="alert">
      <div className={classes.icon} data-tone="bad">
        {isUnreachable ? <IconPlugConnectedX size={32} /> : <IconAlertTriangle size={32} />}
      </div>
      <h2 className={classes.title}>{isUnreachable ? 'No answer' : 'That did not work'}</h2>
      <div className={classes.text}>
        <p>{explain(error)}</p>
      </div>
      {retry !== undefined && (
        <Button variant="default" size="xs" onClick={retry}>
          Try again
        </Button>
      )}
    </div>
  );
}

function explain(error: Error): string {
  if (error instanceof ApiError && error.httpStatus === 404) {
    return `This server does not offer what the page needs (${error.message}).`;
  }
  return error.message;
}

type Loadable<T> = {
  data: T | undefined;
  error: Error | null;
  refetch: () => unknown;
};

/** Shows the data of a query, or the state it is in. Old data stays while a new try fails. */
export function Loaded<T>({
  query,
  children,
}: {
  query: Loadable<T>;
  children: (data: T) => ReactNode;
}) {
  if (query.data !== undefined) return children(query.data);
  if (query.error !== null) {
    return <Failure error={query.error} retry={() => void query.refetch()} />;
  }
  return <Waiting />;
}
