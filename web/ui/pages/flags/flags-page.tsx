/** /flags: the command line as the server understood it. */
import { useState } from 'react';
import { useFlags } from '../../api/status.ts';
import { FilterInput } from '../../parts/filter-input.tsx';
import { countOf } from '../../parts/number-text.ts';
import { Card, Page, Toolbar } from '../../parts/page.tsx';
import { Empty, Loaded } from '../../parts/state-views.tsx';
import { passesFilter } from '../../parts/text-filter.ts';
import classes from './flags.module.css';

export default function FlagsPage() {
  const flags = useFlags();
  const [filter, setFilter] = useState('');
  return (
    <Page title="Flags" intro="The command line, with the defaults of what was not given.">
      <Toolbar>
        <FilterInput label="Filter flags" value={filter} onChange={setFilter} width={360} />
      </Toolbar>
      <Card flush>
        <Loaded query={flags}>{(all) => <FlagTable flags={all} filter={filter} />}</Loaded>
      </Card>
    </Page>
  );
}

function FlagTable({ flags, filter }: { flags: Record<string, string>; filter: string }) {
  const shown = Object.entries(flags)
    .filter(([name, value]) => passesFilter(filter, () => [`--${name}=${value}`]))
    .sort(([a], [b]) => a.localeCompare(b));
  if (shown.length === 0) return <Empty title="No flag has this in its name or value" />;
  return (
    <table className={classes.flags}>
      <caption className="nx-visually-hidden">{countOf(shown.length, 'flag')}</caption>
      <tbody>
        {shown.map(([name, value]) => (
          <tr key={name}>
            <th scope="row">--{name}</th>
            <td>{value === '' ? <span className="nx-dim">empty</span> : value}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
