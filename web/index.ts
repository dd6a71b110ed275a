/** The HTTP side: API, management, own metrics, pages. `src` hands in the ports. */
export { buildApp } from './app.ts';
export {
  listen,
  type ListenAddress,
  ListenError,
  type Listener,
} from './listen.ts';
export {
  CLIENT_AUTH_TYPES,
  type ClientAuthType,
  secureContextOptions,
  type SecurityPort,
  type TlsSettings,
  type WebSecurity,
} from './security/index.ts';
export { ApiError, type ApiErrorType } from './api-error.ts';
export { NOTIFICATION_TEXTS, NotificationBoard } from './notification-board.ts';
export { FORM_SIZE_BYTES_MAX, type WebOptions, WRITE_SIZE_BYTES_MAX } from './options.ts';
export * from './ports.ts';
