/** /query: one or several panels, each an expression with its graph or table. */
import { Button } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { lazy, Suspense, useEffect, useMemo, useRef, useState } from 'react';
import { useTitle } from '../../parts/page.tsx';
import { parseDurationMs } from '../../parts/time/duration.ts';
import { settingsNow } from '../../settings/settings.ts';
import { Home } from './home.tsx';
import { Panel } from './panel.tsx';
import {
  newPanel,
  type PanelState,
  panelsFromSearch,
  type Search,
  searchFromPanels,
} from '../../parts/query-url/panel-state.ts';
import classes from './query-page.module.css';
import { RefreshMenu } from './refresh-menu.tsx';

const MetricsExplorer = lazy(() => import('./metrics-explorer.tsx'));

/** React keys of the panels: they must follow a panel when one before it is removed. */
function usePanelKeys(panelCount: number) {
  const next = useRef(0);
  const keys = useRef<number[]>([]);
  while (keys.current.length < panelCount) keys.current.push(next.current++);
  keys.current.length = panelCount;
  return {
    keys: keys.current,
    insertAt: (index: number) => keys.current.splice(index, 0, next.current++),
    removeAt: (index: number) => keys.current.splice(index, 1),
  };
}

const firstPanel = () =>
  newPanel('', 'graph', parseDurationMs(settingsNow().defaultRange) ?? undefined);

export default function QueryPage() {
  const search: Search = useSearch({ strict: false });
  const navigate = useNavigate();
  const panels = useMemo(() => {
    const fromAddress = panelsFromSearch(search);
    return fromAddress.length > 0 ? fromAddress : [firstPanel()];
  }, [search]);
  const { keys, insertAt, removeAt } = usePanelKeys(panels.length);
  const [refreshMs, setRefreshMs] = useState(0);
  /** The panel for which the explorer is open. */
  const [exploring, setExploring] = useState<number>();

  useTitle(panels.find(({ expr }) => expr !== '')?.expr ?? 'Query');

  const show = (next: readonly PanelState[]) =>
    void navigate({ to: '/query', search: searchFromPanels(next) });
  const change = (index: number, part: Partial<PanelState>) =>
    show(panels.map((panel, at) => (at === index ? { ...panel, ...part } : panel)));
  const insert = (index: number, panel: PanelState) => {
    insertAt(index);
    show(panels.toSpliced(index, 0, panel));
  };
  const add = () => {
    const last = panels.at(-1)!;
    insert(panels.length, { ...firstPanel(), tab: last.tab, rangeMs: last.rangeMs });
  };
  const remove = (index: number) => {
    removeAt(index);
    show(panels.length === 1 ? [firstPanel()] : panels.toSpliced(index, 1));
  };

  // "n" is announced on the page by shell/shortcuts.ts.
  const latestAdd = useRef(add);
  latestAdd.current = add;
  useEffect(() => {
    const onAdd = () => latestAdd.current();
    window.addEventListener('narthex:add-panel', onAdd);
    return () => window.removeEventListener('narthex:add-panel', onAdd);
  }, []);

  const isFresh = panels.length === 1 && panels[0]!.expr === '';
  return (
    <div className={classes.page}>
      <h1 className="nx-visually-hidden">Query</h1>
      {panels.map((panel, index) => (
        <Panel
          key={keys[index]}
          state={panel}
          isOnly={panels.length === 1}
          refreshMs={refreshMs}
          onChange={(part) => change(index, part)}
          onDuplicate={() => insert(index + 1, panel)}
          onRemove={() => remove(index)}
          onExplore={() => setExploring(index)}
        />
      ))}
      {isFresh ? (
        <Home onRun={(expr, tab) => change(0, { expr, tab })} onExplore={() => setExploring(0)} />
      ) : (
        <div className={classes.footer}>
          <Button variant="default" leftSection={<IconPlus size={16} />} onClick={add}>
            Add panel
          </Button>
          <RefreshMenu refreshMs={refreshMs} onChange={setRefreshMs} />
        </div>
      )}
      {exploring !== undefined && (
        <Suspense>
          <MetricsExplorer
            onClose={() => setExploring(undefined)}
            onRun={(expr, tab) => {
              setExploring(undefined);
              change(exploring, tab === undefined ? { expr } : { expr, tab });
            }}
          />
        </Suspense>
      )}
    </div>
  );
}
