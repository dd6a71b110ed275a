/** One expression: its editor, its tabs, and what came back. */
import { Button, SegmentedControl } from '@mantine/core';
import { IconPlayerPlayFilled, IconPlayerStopFilled } from '@tabler/icons-react';
import { useQueryClient } from '@tanstack/react-query';
import { lazy, Suspense, useEffect, useRef, useState } from 'react';
import { formatQuery } from '../../api/format-query.ts';
import { useInstantQuery } from '../../api/query.ts';
import { useRangeQuery } from '../../api/query-range.ts';
import { PromqlEditor } from '../../parts/editor/promql-editor.tsx';
import { Waiting } from '../../parts/state-views.tsx';
import { useSettings } from '../../settings/settings.ts';
import { Annotations } from './annotations.tsx';
import { GraphControls } from './graph-controls.tsx';
import { GraphResult } from './graph-result.tsx';
import classes from './panel.module.css';
import { PanelTools } from './panel-tools.tsx';
import type { PanelState, Tab } from '../../parts/query-url/panel-state.ts';
import { QueryError } from './query-error.tsx';
import { QueryFigures } from './query-figures.tsx';
import { queryHistory, rememberQuery, useQueryHistory } from './query-history.ts';
import { stepMsOf } from '../../parts/query-url/resolution.ts';
import { TableControls } from './table-controls.tsx';
import { TableResult } from './table-result.tsx';

const ExplainResult = lazy(() => import('./explain/explain-result.tsx'));

type PanelProps = {
  state: PanelState;
  isOnly: boolean;
  refreshMs: number;
  onChange: (part: Partial<PanelState>) => void;
  onDuplicate: () => void;
  onRemove: () => void;
  onExplore: () => void;
};

const TABS = [
  { value: 'graph', label: 'Graph' },
  { value: 'table', label: 'Table' },
  { value: 'explain', label: 'Explain' },
];

export function Panel(props: PanelProps) {
  const { state, refreshMs, onChange } = props;
  const { expr, tab } = state;
  const settings = useSettings();
  const pastQueries = useQueryHistory();
  const client = useQueryClient();
  const [runCount, setRunCount] = useState(0);
  const [formatError, setFormatError] = useState<Error>();
  const draft = useDraft(expr);

  const instant = useInstantQuery(tab === 'table' ? expr : '', state.momentMs, runCount, refreshMs);
  const range = useRangeQuery(
    tab === 'graph' ? expr : '',
    {
      rangeMs: state.rangeMs,
      endMs: state.endMs,
      stepMs: stepMsOf(state.resolution, state.rangeMs),
    },
    runCount,
    refreshMs,
  );
  /** The explain tab asks for itself, step by step. */
  const active = { table: instant, graph: range, explain: undefined }[tab];
  const answer = active?.data;

  useEffect(() => {
    if (expr !== '') rememberQuery(expr);
  }, [expr, runCount]);

  const run = () => {
    setFormatError(undefined);
    const text = draft.text.trim();
    if (text === expr) setRunCount(runCount + 1);
    else onChange({ expr: text });
  };
  const cancel = () => {
    void client.cancelQueries({ queryKey: [tab === 'table' ? 'query' : 'query_range', expr] });
  };
  const format = async () => {
    try {
      draft.set(await formatQuery(draft.text));
      setFormatError(undefined);
    } catch (error) {
      setFormatError(error as Error);
    }
  };

  const error = formatError ?? active?.error ?? null;
  const isDirty = draft.text.trim() !== expr;
  return (
    <section className={classes.panel} aria-label={expr === '' ? 'New query' : `Query ${expr}`}>
      <div className={classes.editorRow}>
        <PromqlEditor
          value={draft.text}
          options={{
            completion: settings.completion,
            linting: settings.linting,
            pastQueries: settings.historyInCompletion ? pastQueries : NONE,
          }}
          onChange={draft.set}
          onRun={run}
          onHistory={draft.walk}
        />
        <div className={classes.tools}>
          <PanelTools
            {...props}
            onFormat={() => void format()}
            onPick={(text) => {
              draft.set(text);
              onChange({ expr: text });
            }}
          />
          {active?.isFetching ? (
            <Button
              color="gray"
              variant="default"
              className={classes.run}
              leftSection={<IconPlayerStopFilled size={13} />}
              onClick={cancel}
            >
              Stop
            </Button>
          ) : (
            <Button
              className={classes.run}
              variant={isDirty || expr === '' ? 'filled' : 'default'}
              leftSection={<IconPlayerPlayFilled size={13} />}
              data-tip="Run the query"
              data-tip-key="Enter"
              onClick={run}
            >
              Run
            </Button>
          )}
        </div>
      </div>

      {expr !== '' && (
        <>
          <div className={classes.controls}>
            <SegmentedControl
              size="xs"
              data={TABS}
              value={tab}
              aria-label="How to show the result"
              onChange={(value) => onChange({ tab: value as Tab })}
            />
            {tab === 'graph' ? (
              <GraphControls state={state} onChange={onChange} />
            ) : (
              <TableControls state={state} onChange={onChange} />
            )}
            {answer !== undefined && error === null && <QueryFigures answer={answer} />}
          </div>
          <div className={classes.progress} data-busy={active?.isFetching} aria-hidden />
          <div className={classes.result} data-stale={active?.isPlaceholderData}>
            {error !== null && <QueryError error={error} expr={draft.text} onChange={onChange} />}
            {answer !== undefined && <Annotations answer={answer} />}
            {error === null && tab === 'graph' && (
              <GraphResult state={state} query={range} onChange={onChange} />
            )}
            {error === null && tab === 'table' && <TableResult query={instant} />}
            {tab === 'explain' && (
              <Suspense fallback={<Waiting />}>
                <ExplainResult expr={expr} momentMs={state.momentMs} runCount={runCount} />
              </Suspense>
            )}
          </div>
        </>
      )}
      {expr === '' && error !== null && (
        <div className={classes.result}>
          <QueryError error={error} expr={draft.text} onChange={onChange} />
        </div>
      )}
    </section>
  );
}

const NONE: readonly string[] = [];

/** What stands in the editor, which is not yet what was run. */
function useDraft(expr: string) {
  const [text, setText] = useState(expr);
  /** Where in the history the person is; -1 is the own text, kept in `own`. */
  const place = useRef({ index: -1, own: '' });
  useEffect(() => setText(expr), [expr]);

  const walk = (direction: 1 | -1) => {
    const past = queryHistory();
    const at = place.current;
    if (at.index === -1) at.own = text;
    at.index = Math.min(Math.max(at.index - direction, -1), past.length - 1);
    setText(at.index === -1 ? at.own : past[at.index]!);
  };
  const set = (next: string) => {
    if (next !== text) setText(next);
    if (next !== queryHistory()[place.current.index]) place.current.index = -1;
  };
  return { text, set, walk };
}
