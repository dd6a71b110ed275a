/** How the web part is set up; src fills it from flags and configuration. */
import type { Clock, Logger, Registry, TracerSource } from '../model/index.ts';
import type { SecurityPort } from './security/index.ts';

export type WebOptions = {
  /** `--web.external-url`, with `http://host:port/` filled in where the flag is absent. */
  readonly externalUrl: URL;
  /** `--web.route-prefix`: starts with a slash, ends with none; empty for the root. */
  readonly routePrefix: string;
  /** `--web.cors.origin`, an RE2 expression anchored at both ends. */
  readonly corsOrigin: string;
  readonly enableLifecycle: boolean;
  readonly enableAdminApi: boolean;
  readonly enableRemoteWriteReceiver: boolean;
  /** `--web.remote-write-receiver.accepted-protobuf-messages`, as versions; absent: both. */
  readonly remoteWriteVersions?: readonly (1 | 2)[];
  readonly enableOtlpReceiver: boolean;
  /** `--web.enable-push-receiver`. */
  readonly enablePushReceiver: boolean;
  /** `--web.search.max-limit`; 0 for none. */
  readonly searchLimitMax: number;
  /** `--agent`: there is nothing to query. */
  readonly agentMode: boolean;
  /** `--web.page-title`. */
  readonly pageTitle: string;
  /** Where the built UI lies; a page that says how to build it is served when it is not there. */
  readonly uiDirectory: string;
  /** `--web.user-assets`: files of the user, served below `/user`. */
  readonly userAssetsDirectory?: string;
  /** Bodies of forms; larger ones are refused. */
  readonly formSizeBytesMax: number;
  /** Bodies of remote write, remote read and OTLP, as received. */
  readonly writeSizeBytesMax: number;
  /** `--web.read-timeout`: for reading a request, and for keeping an idle connection. */
  readonly readTimeoutMs: number;
  /** `--web.max-connections`, per listener. */
  readonly connectionCountMax: number;
  /** `--web.config.file`; absent without one. */
  readonly security?: SecurityPort;
  readonly tracer?: TracerSource;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Where the web part's own figures go. */
  readonly registry: Registry;
};

export const FORM_SIZE_BYTES_MAX = 10 * 1024 * 1024;
export const WRITE_SIZE_BYTES_MAX = 64 * 1024 * 1024;
