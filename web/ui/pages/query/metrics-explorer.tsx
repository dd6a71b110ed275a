/** A dialog to find metrics by name, see what they mean, and build a query from one. */
import { TextInput } from '@mantine/core';
import { IconSearch } from '@tabler/icons-react';
import { type KeyboardEvent, useDeferredValue, useMemo, useRef, useState } from 'react';
import { useMetricNames } from '../../api/labels.ts';
import { useMetadata } from '../../api/metadata.ts';
import { metadataOf } from '../../api/metric-metadata.ts';
import { Dialog } from '../../parts/dialog.tsx';
import { useGrowing } from '../../parts/growing.tsx';
import { countOf } from '../../parts/number-text.ts';
import { Select } from '../../parts/select.tsx';
import { Empty, Loaded } from '../../parts/state-views.tsx';
import { MetricDetails } from './metric-details.tsx';
import { searchNames } from './metric-search.ts';
import classes from './metrics-explorer.module.css';

type MetricsExplorerProps = {
  onClose: () => void;
  onRun: (expr: string, tab?: 'graph' | 'table') => void;
};

const TYPES = ['counter', 'gauge', 'histogram', 'summary', 'unknown'];

export default function MetricsExplorer({ onClose, onRun }: MetricsExplorerProps) {
  const names = useMetricNames();
  return (
    <Dialog title="Explore metrics" width={1120} onClose={onClose}>
      <Loaded query={names}>
        {(all) =>
          all.length === 0 ? (
            <Empty title="No metrics yet">They appear after the first scrape.</Empty>
          ) : (
            <Explorer names={all} onRun={onRun} />
          )
        }
      </Loaded>
    </Dialog>
  );
}

function Explorer({ names, onRun }: { names: string[]; onRun: MetricsExplorerProps['onRun'] }) {
  const metadata = useMetadata().data ?? {};
  const [typed, setTyped] = useState('');
  const [type, setType] = useState('');
  const [selected, setSelected] = useState<string>();
  const list = useRef<HTMLUListElement>(null);
  const searched = useDeferredValue(typed);
  const found = useMemo(() => {
    const fitting = searchNames(names, searched);
    if (type === '') return fitting;
    return fitting.filter((name) => (metadataOf(metadata, name)?.type ?? 'unknown') === type);
  }, [names, searched, type, metadata]);
  const { shownCount, sentinel } = useGrowing(found.length, 100);

  const walk = (event: KeyboardEvent) => {
    if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return;
    event.preventDefault();
    const buttons = [...list.current!.querySelectorAll('button')];
    const at = buttons.indexOf(document.activeElement as HTMLButtonElement);
    buttons[Math.max(0, at + (event.key === 'ArrowDown' ? 1 : -1))]?.focus();
  };

  return (
    <div className={classes.explorer} data-detail={selected !== undefined}>
      {/* Arrow keys go from the search into the list and through it. */}
      <div className={classes.left} onKeyDown={walk} role="presentation">
        <div className={classes.search}>
          <TextInput
            data-autofocus
            type="search"
            style={{ flex: 1 }}
            aria-label="Search metrics"
            placeholder="Search, such as http duration"
            leftSection={<IconSearch size={15} />}
            value={typed}
            onChange={(event) => setTyped(event.currentTarget.value)}
          />
          <Select
            label="Type"
            data={[{ value: '', label: 'All types' }, ...TYPES]}
            value={type}
            onChange={setType}
          />
        </div>
        <div className={classes.count}>{countOf(found.length, 'metric')}</div>
        <ul ref={list} className={classes.list}>
          {found.slice(0, shownCount).map((name) => {
            const known = metadataOf(metadata, name);
            return (
              <li key={name}>
                <button
                  type="button"
                  className={classes.metric}
                  aria-current={name === selected}
                  onClick={() => setSelected(name)}
                >
                  <span className={classes.name}>{name}</span>
                  <span className={classes.type}>{known?.type ?? ''}</span>
                  {known?.help && <span className={classes.help}>{known.help}</span>}
                </button>
              </li>
            );
          })}
          {found.length === 0 && <Empty title="No metric has such a name" />}
          {sentinel}
        </ul>
      </div>
      <div className={classes.right}>
        {selected === undefined ? (
          <Empty icon={<IconSearch size={30} />} title="Choose a metric">
            Its meaning, its labels and useful queries will be shown here.
          </Empty>
        ) : (
          <MetricDetails
            key={selected}
            name={selected}
            metadata={metadataOf(metadata, selected)}
            onBack={() => setSelected(undefined)}
            onRun={onRun}
          />
        )}
      </div>
    </div>
  );
}
