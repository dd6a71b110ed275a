/** The pages of the navigation, in its order, with the key that follows `g`. */
export const MAIN_PAGES = [
  { to: '/query', name: 'Query', key: 'q' },
  { to: '/alerts', name: 'Alerts', key: 'a' },
  { to: '/rules', name: 'Rules', key: 'r' },
  { to: '/targets', name: 'Targets', key: 't' },
] as const;

export const STATUS_PAGES = [
  { to: '/alert-history', name: 'Alert history', key: 'h', hint: 'what fired, and who was told' },
  { to: '/status', name: 'Server', key: 's', hint: 'health, version, resources' },
  { to: '/tsdb-status', name: 'Storage', key: 'b', hint: 'series, cardinality, blocks' },
  { to: '/config', name: 'Configuration', key: 'c', hint: 'as loaded' },
  { to: '/flags', name: 'Flags', key: 'f', hint: 'command line' },
  { to: '/service-discovery', name: 'Service discovery', key: 'd', hint: 'found and dropped' },
  { to: '/alertmanager-discovery', name: 'Alertmanagers', key: 'm', hint: 'where alerts go' },
] as const;

export const ALL_PAGES = [...MAIN_PAGES, ...STATUS_PAGES];
