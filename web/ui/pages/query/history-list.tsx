/** Past queries to pick from, with a filter. */
import { Button, TextInput } from '@mantine/core';
import { IconSearch } from '@tabler/icons-react';
import { useState } from 'react';
import { PromqlText } from '../../parts/editor/promql-text.tsx';
import { passesFilter } from '../../parts/text-filter.ts';
import classes from './history-list.module.css';
import { forgetQueries, useQueryHistory } from './query-history.ts';

export function HistoryList({ onPick }: { onPick: (expr: string) => void }) {
  const past = useQueryHistory();
  const [filter, setFilter] = useState('');
  const shown = past.filter((expr) => passesFilter(filter, () => [expr]));
  if (past.length === 0) {
    return <p className={classes.none}>Queries that you run will be listed here.</p>;
  }
  return (
    <div className={classes.box}>
      <div className={classes.head}>
        <TextInput
          autoFocus
          size="xs"
          style={{ flex: 1 }}
          aria-label="Filter past queries"
          placeholder="Filter past queries"
          leftSection={<IconSearch size={14} />}
          value={filter}
          onChange={(event) => setFilter(event.currentTarget.value)}
        />
        <Button size="xs" variant="subtle" color="gray" onClick={forgetQueries}>
          Forget all
        </Button>
      </div>
      <ul className={classes.list}>
        {shown.map((expr) => (
          <li key={expr}>
            <button type="button" onClick={() => onPick(expr)}>
              <PromqlText expr={expr} />
            </button>
          </li>
        ))}
        {shown.length === 0 && <li className={classes.none}>None of them matches.</li>}
      </ul>
    </div>
  );
}
