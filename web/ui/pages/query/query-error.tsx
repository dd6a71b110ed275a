/** Why a query gave nothing, where it is wrong, and what may help. */
import { Button } from '@mantine/core';
import { ApiError, UnreachableError } from '../../api/transport.ts';
import { Notice } from '../../parts/notice.tsx';
import classes from './query-error.module.css';
import { errorPlace, hintFor } from './query-error-text.ts';
import type { PanelState } from '../../parts/query-url/panel-state.ts';

type QueryErrorProps = {
  error: Error;
  expr: string;
  onChange: (part: Partial<PanelState>) => void;
};

export function QueryError({ error, expr, onChange }: QueryErrorProps) {
  const place = errorPlace(error.message, expr);
  const hint = hintFor(error.message);
  return (
    <Notice
      tone="bad"
      title={titleOf(error)}
      aside={
        hint?.resolution !== undefined && (
          <Button
            size="compact-sm"
            variant="default"
            onClick={() => onChange({ resolution: { kind: 'auto', density: 'medium' } })}
          >
            Use automatic resolution
          </Button>
        )
      }
    >
      <div>{error.message}</div>
      {place !== undefined && (
        <pre className={classes.place}>
          {place.line}
          {'\n'}
          {' '.repeat(place.column - 1)}
          <span className={classes.caret}>▲</span>
        </pre>
      )}
      {hint !== undefined && <div className={classes.hint}>{hint.text}</div>}
    </Notice>
  );
}

function titleOf(error: Error): string {
  if (error instanceof UnreachableError) return 'The server did not answer';
  const type = error instanceof ApiError ? error.type : '';
  const titles: Record<string, string> = {
    bad_data: 'This expression cannot be read',
    execution: 'The query failed',
    timeout: 'The query took too long',
    canceled: 'The query was cancelled',
    unavailable: 'The server cannot answer queries now',
  };
  return titles[type] ?? 'The query failed';
}
