/** /tsdb-status: how large the storage is, and what makes it so. */
import { SegmentedControl } from '@mantine/core';
import { useState } from 'react';
import { type TsdbStatus, useBlocks, useTsdbStatus } from '../../api/status.ts';
import { Moment } from '../../parts/ago.tsx';
import { byteSize, wholeNumber } from '../../parts/number-text.ts';
import { Card, Page } from '../../parts/page.tsx';
import { Loaded } from '../../parts/state-views.tsx';
import { Blocks } from './blocks.tsx';
import { pairSelector } from './pair-selector.ts';
import { TopList } from './top-list.tsx';
import classes from './tsdb.module.css';

const LIMITS = ['10', '25', '100'];

export default function TsdbPage() {
  const [limit, setLimit] = useState('10');
  const status = useTsdbStatus(Number(limit));
  const blocks = useBlocks();
  return (
    <Page
      title="Storage"
      intro="What lies in memory, which names and labels it consists of, and the blocks on disk."
      aside={
        <SegmentedControl
          size="xs"
          aria-label="Length of the lists"
          data={LIMITS.map((value) => ({ value, label: `Top ${value}` }))}
          value={limit}
          onChange={setLimit}
        />
      }
    >
      <Loaded query={status}>
        {(tsdb) => (
          <>
            <HeadFigures head={tsdb.headStats} />
            <div className={classes.lists}>
              <TopList
                title="Series by metric name"
                hint="Which metrics the series belong to."
                entries={tsdb.seriesCountByMetricName ?? []}
                exprOf={(name) => `count({__name__=${JSON.stringify(name)}})`}
                total={tsdb.headStats.numSeries}
              />
              <TopList
                title="Series by label pair"
                hint="Which label values occur in the most series."
                entries={tsdb.seriesCountByLabelValuePair ?? []}
                exprOf={(pair) => `count by (__name__) (${pairSelector(pair)})`}
                total={tsdb.headStats.numSeries}
              />
              <TopList
                title="Values by label name"
                hint="Labels with many different values multiply series."
                entries={tsdb.labelValueCountByLabelName ?? []}
              />
              <TopList
                title="Memory by label name"
                hint="Bytes of the values of each label."
                entries={tsdb.memoryInBytesByLabelName ?? []}
                format={byteSize}
              />
            </div>
          </>
        )}
      </Loaded>
      <Card title="Blocks" flush>
        <Loaded query={blocks}>{({ blocks: list }) => <Blocks blocks={list ?? []} />}</Loaded>
      </Card>
    </Page>
  );
}

function HeadFigures({ head }: { head: TsdbStatus['headStats'] }) {
  // An empty head has its largest possible time as the first one.
  const isEmpty = head.minTime > head.maxTime;
  return (
    <dl className={classes.head}>
      <div>
        <dt>Series</dt>
        <dd>{wholeNumber(head.numSeries)}</dd>
      </div>
      <div>
        <dt>Chunks</dt>
        <dd>{wholeNumber(head.chunkCount)}</dd>
      </div>
      <div>
        <dt>Label pairs</dt>
        <dd>{wholeNumber(head.numLabelPairs)}</dd>
      </div>
      <div>
        <dt>Oldest sample in memory</dt>
        <dd className={classes.moment}>{isEmpty ? '–' : <Moment ms={head.minTime} />}</dd>
      </div>
      <div>
        <dt>Newest sample</dt>
        <dd className={classes.moment}>{isEmpty ? '–' : <Moment ms={head.maxTime} />}</dd>
      </div>
    </dl>
  );
}
