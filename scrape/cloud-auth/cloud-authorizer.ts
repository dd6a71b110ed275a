/** Puts the signature or the token of a cloud on requests that go out. */
import type { Clock } from '../../model/index.ts';
import { DEFAULT_HTTP_CLIENT_CONFIG, type HttpClientConfig } from '../config.ts';
import { AwsIdentity, type AwsSettings } from '../discovery/aws/credentials.ts';
import { type ApiContext, PlatformApi } from '../discovery/platform-api.ts';
import { signedHeaders, type ToSign } from '../http/signature-v4.ts';
import { type AzureAdSettings, requestAzureToken } from './azure-token.ts';
import { requestGoogleToken } from './google-token.ts';
import { HeldToken } from './held-token.ts';

/** The sections `sigv4`, `azuread` and `google_iam`, keys as in the configuration. */
export type CloudAuthConfig =
  | { readonly kind: 'aws'; readonly service: string; readonly settings: SigV4Settings }
  | { readonly kind: 'azure'; readonly settings: AzureAdSettings }
  | { readonly kind: 'google'; readonly credentialsFile: string };

export type SigV4Settings = Omit<AwsSettings, 'endpoint'> & {
  readonly use_fips_sts_endpoint: boolean;
};

export type CloudAuthorizerOptions = {
  readonly clock: Clock;
  readonly userAgent: string;
  /** For asking for credentials. */
  readonly httpClient?: HttpClientConfig;
};

const GOOGLE_SCOPE = 'https://www.googleapis.com/auth/monitoring.write';

type Unsigned = Pick<ToSign, 'method' | 'url' | 'headers' | 'body'>;
type Close = () => void;
type Authorize = (request: Unsigned, signal: AbortSignal) => Promise<Record<string, string>>;

export class CloudAuthorizer {
  readonly #authorize: Authorize;
  readonly #close: Close;

  constructor(config: CloudAuthConfig, options: CloudAuthorizerOptions) {
    const made = createAuthorize(config, options);
    this.#authorize = made.authorize;
    this.#close = made.close;
  }

  /** The headers to send instead. @throws when there are no credentials to be had */
  headers(request: Unsigned, signal: AbortSignal): Promise<Record<string, string>> {
    return this.#authorize(request, signal);
  }

  async close(): Promise<void> {
    this.#close();
  }
}

function createAuthorize(
  config: CloudAuthConfig,
  { clock, userAgent, httpClient = DEFAULT_HTTP_CLIENT_CONFIG }: CloudAuthorizerOptions,
): { readonly authorize: Authorize; readonly close: Close } {
  const context = { clock, userAgent };
  const apiFor = <S>(settings: S) =>
    new PlatformApi<S, ApiContext>(
      { settings: settings as Readonly<Record<string, unknown>>, httpClient },
      context,
    );
  if (config.kind === 'aws') {
    const api = apiFor<AwsSettings>({ ...config.settings, endpoint: '' });
    const identity = new AwsIdentity(api);
    return {
      close: () => api.close(),
      authorize: async (request, signal) => {
        const region = await identity.region(signal);
        const credentials = await identity.credentials(signal);
        const { service } = config;
        return signedHeaders({ ...request, region, service }, credentials, clock.nowMs());
      },
    };
  }
  const { request, close } =
    config.kind === 'azure'
      ? azureTokens(apiFor(config.settings))
      : googleTokens(apiFor({}), config);
  const token = new HeldToken(clock, request);
  return {
    close,
    authorize: async ({ headers }, signal) => {
      const { value } = await token.get(signal);
      return { ...headers, Authorization: `Bearer ${value}` };
    },
  };
}

function azureTokens(api: PlatformApi<AzureAdSettings, ApiContext>) {
  return {
    request: (signal: AbortSignal) => requestAzureToken(api, signal),
    close: () => api.close(),
  };
}

function googleTokens(
  api: PlatformApi<object, ApiContext>,
  { credentialsFile }: { readonly credentialsFile: string },
) {
  return {
    request: (signal: AbortSignal) =>
      requestGoogleToken(api, GOOGLE_SCOPE, credentialsFile, signal),
    close: () => api.close(),
  };
}
