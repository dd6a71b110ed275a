/** Telling Alertmanagers about alerts. */
export type { AlertmanagerConfig, NotifyConfig } from './alertmanager-config.ts';
export { Notifier, setName } from './notifier.ts';
export type { OutgoingAlert } from './outgoing-alert.ts';
