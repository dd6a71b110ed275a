/** Which address shows which page. Every page is a chunk of its own. */
import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Link,
  redirect,
} from '@tanstack/react-router';
import { basePath } from './base.ts';
import { Page } from './parts/page.tsx';
import { Failure, Waiting } from './parts/state-views.tsx';
import { Shell } from './shell/shell.tsx';

const root = createRootRoute({
  component: Shell,
  notFoundComponent: () => (
    <Page title="There is no such page">
      <Link to="/query">Go to the query page</Link>
    </Page>
  ),
});

const toQuery = ({ search }: { search: Record<string, unknown> }) => {
  throw redirect({ to: '/query', search, replace: true });
};

const page = <Path extends string>(path: Path, load: Parameters<typeof lazyRouteComponent>[0]) =>
  createRoute({
    getParentRoute: () => root,
    path,
    // Addresses carry text only; each page reads its own keys.
    validateSearch: (search: Record<string, unknown>) => search as Record<string, string>,
    component: lazyRouteComponent(load),
  });

const routeTree = root.addChildren([
  createRoute({ getParentRoute: () => root, path: '/', beforeLoad: toQuery }),
  createRoute({ getParentRoute: () => root, path: '/graph', beforeLoad: toQuery }),
  page('/query', () => import('./pages/query/query-page.tsx')),
  page('/alerts', () => import('./pages/alerts/alerts-page.tsx')),
  page('/alert-history', () => import('./pages/history/history-page.tsx')),
  page('/alert-why', () => import('./pages/why/why-page.tsx')),
  page('/rules', () => import('./pages/rules/rules-page.tsx')),
  page('/targets', () => import('./pages/targets/targets-page.tsx')),
  page('/service-discovery', () => import('./pages/discovery/discovery-page.tsx')),
  page('/agent', () => import('./pages/agent/agent-page.tsx')),
  page('/status', () => import('./pages/status/status-page.tsx')),
  page('/tsdb-status', () => import('./pages/tsdb/tsdb-page.tsx')),
  page('/flags', () => import('./pages/flags/flags-page.tsx')),
  page('/config', () => import('./pages/config/config-page.tsx')),
  page('/alertmanager-discovery', () => import('./pages/alertmanagers/alertmanagers-page.tsx')),
]);

/** Plain text both ways: the default would turn `1` into a number and "1" into `"1"`. */
function stringifySearch(search: Record<string, unknown>): string {
  const text = new URLSearchParams(search as Record<string, string>).toString();
  return text === '' ? '' : `?${text}`;
}

export const router = createRouter({
  routeTree,
  basepath: basePath || '/',
  parseSearch: (text) => Object.fromEntries(new URLSearchParams(text)),
  stringifySearch,
  defaultPreload: 'intent',
  defaultPendingComponent: Waiting,
  defaultErrorComponent: ({ error, reset }) => <Failure error={error as Error} retry={reset} />,
  scrollRestoration: true,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
