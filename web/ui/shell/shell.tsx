/** What surrounds every page: header, banners, keys, tips. */
import { Outlet } from '@tanstack/react-router';
import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { useReadiness } from '../api/readiness.ts';
import { Notice } from '../parts/notice.tsx';
import { describeDurationMs } from '../parts/time/duration.ts';
import { Tips } from '../parts/tips.tsx';
import { Dialogs, type OpenDialog } from './dialogs.tsx';
import { Header } from './header.tsx';
import { NotReady } from './not-ready.tsx';
import classes from './shell.module.css';
import { useShortcuts } from './shortcuts.ts';

/** Beyond it, "now" in the browser and on the server are visibly different moments. */
const CLOCK_DRIFT_MS_MAX = 30_000;

export function Shell() {
  const [dialog, setDialog] = useState<OpenDialog>();
  useShortcuts({ openHelp: () => setDialog('shortcuts') });
  const { data: readiness } = useReadiness();
  const state = readiness?.state ?? 'ready';
  useRefetchWhenBack(state);

  return (
    <>
      <a className={classes.skip} href="#content">
        Skip to the content
      </a>
      <Header isReady={state === 'ready'} onOpen={setDialog} />
      {state === 'unreachable' && (
        <Banner tone="bad">
          The server does not answer. Trying again; what you see may be out of date.
        </Banner>
      )}
      {state === 'stopping' && <Banner tone="warn">The server is shutting down.</Banner>}
      <ClockDrift driftMs={readiness?.clockDriftMs} />
      <main id="content" className={classes.main} tabIndex={-1}>
        {state === 'starting' ? <NotReady /> : <Outlet />}
      </main>
      <Dialogs open={dialog} onClose={() => setDialog(undefined)} />
      <Tips />
    </>
  );
}

/** Whatever failed while the server was away is asked for again. */
function useRefetchWhenBack(state: string): void {
  const client = useQueryClient();
  const before = useRef(state);
  useEffect(() => {
    if (before.current !== 'ready' && state === 'ready') {
      void client.invalidateQueries({ predicate: ({ queryKey }) => queryKey[0] !== 'ready' });
    }
    before.current = state;
  }, [client, state]);
}

function Banner({ tone, children }: { tone: 'bad' | 'warn'; children: string }) {
  return (
    <div className={classes.banner}>
      <Notice tone={tone}>{children}</Notice>
    </div>
  );
}

function ClockDrift({ driftMs }: { driftMs: number | undefined }) {
  const [isHidden, setHidden] = useState(false);
  if (driftMs === undefined || Math.abs(driftMs) < CLOCK_DRIFT_MS_MAX || isHidden) return null;
  const direction = driftMs > 0 ? 'ahead of' : 'behind';
  return (
    <div className={classes.banner}>
      <Notice tone="warn" title="Clocks disagree" onClose={() => setHidden(true)}>
        The server&rsquo;s clock is {describeDurationMs(Math.abs(driftMs))} {direction} this
        browser&rsquo;s. Graphs that end now may look cut off or late.
      </Notice>
    </div>
  );
}
