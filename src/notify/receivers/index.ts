/** Receivers of alerts that need no Alertmanager. Loaded only by a server that has some. */
export type { ReceiverConfig } from './receiver-config.ts';
export { loadReceivers, notificationsSchema, parseReceivers } from './receiver-file.ts';
export { Receivers, type ReceiversOptions } from './receivers.ts';
