/** /status: the server itself: is it well, what does it use, what is it. */
import { type RuntimeInfo, useBuildInfo, useRuntimeInfo } from '../../api/status.ts';
import { Card, Page } from '../../parts/page.tsx';
import { Loaded } from '../../parts/state-views.tsx';
import { FactTable } from './fact-table.tsx';
import { buildFacts, runtimeFacts } from './facts.ts';
import { ResourceTiles } from './resource-tiles.tsx';
import classes from './status.module.css';

export default function StatusPage() {
  const runtime = useRuntimeInfo();
  const build = useBuildInfo();
  return (
    <Page title="Server" intro="How this server is doing, and what it is.">
      <ResourceTiles startTime={runtime.data?.startTime} />
      <div className={classes.columns}>
        <Card title="Runtime" flush>
          <Loaded query={runtime}>
            {(info: RuntimeInfo) => <FactTable facts={runtimeFacts(info)} />}
          </Loaded>
        </Card>
        <Card title="Build" flush>
          <Loaded query={build}>{(info) => <FactTable facts={buildFacts(info)} />}</Loaded>
        </Card>
      </div>
    </Page>
  );
}
