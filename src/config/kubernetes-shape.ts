/** `<kubernetes_sd_config>` and its selectors. */
import { checkHttpClient, HTTP_CLIENT_FIELDS, type HttpClientValues } from './http-client-shape.ts';
import { bool, filePath, string, url } from './scalar-types.ts';
import { field, list, object, type Place, shown } from './type.ts';

const ROLES = ['pod', 'service', 'endpoints', 'endpointslice', 'node', 'ingress'];

/** Which roles of selectors go with a role of the section. */
const SELECTOR_ROLES: Readonly<Record<string, readonly string[]>> = {
  pod: ['pod', 'node'],
  service: ['service'],
  endpointslice: ['pod', 'service', 'endpointslice'],
  endpoints: ['pod', 'service', 'endpoints'],
  node: ['node'],
  ingress: ['ingress'],
};

/** `key=value`, `key==value`, `key!=value`, or nothing. */
const FIELD_TERM = /^[^=!]*(?:!=|==?)[^=!]*$/;
/** The same, and `key`, `!key`, `key in (…)`, `key notin (…)`, `key > 1`. */
const LABEL_TERM =
  /^\s*(?:!?\s*[\w./-]+\s*|[\w./-]+\s*(?:!=|==?)\s*[\w.-]*\s*|[\w./-]+\s+(?:in|notin)\s*\([^()]*\)\s*|[\w./-]+\s*[<>]\s*\d+\s*)$/;

const selector = object({
  role: shown(string, ''),
  label: field(string, ''),
  field: field(string, ''),
});

const isDefaultClient = (value: HttpClientValues) =>
  value.basic_auth === null &&
  value.authorization === null &&
  value.oauth2 === null &&
  value.follow_redirects &&
  value.enable_http2 &&
  value.proxy_url === '' &&
  !value.proxy_from_environment &&
  Object.keys(value.http_headers).length === 0 &&
  Object.values(value.tls_config).every((part) => part === '' || part === false || part === null);

export const kubernetes = object(
  {
    api_server: field(url, ''),
    role: shown(string, ''),
    kubeconfig_file: shown(filePath, ''),
    ...HTTP_CLIENT_FIELDS,
    namespaces: field(
      object({ own_namespace: shown(bool, false), names: shown(list(string), []) }),
      { own_namespace: false, names: [] },
    ),
    selectors: field(list(selector), []),
    attach_metadata: field(
      object({
        node: shown(bool, false),
        namespace: shown(bool, false),
        deployment: shown(bool, false),
        job: shown(bool, false),
        cronjob: shown(bool, false),
      }),
      { node: false, namespace: false, deployment: false, job: false, cronjob: false },
    ),
  },
  (written, place) => {
    const value = checkHttpClient(written, place);
    if (value.role === '') place.fail(`role missing (one of: ${ROLES.join(', ')})`);
    if (!ROLES.includes(value.role)) {
      place.fail(`unknown Kubernetes SD role "${value.role}"`, 'role');
    }
    if (value.kubeconfig_file !== '' && value.api_server !== '') {
      place.fail("cannot use 'kubeconfig_file' and 'api_server' simultaneously", 'api_server');
    }
    if (value.kubeconfig_file !== '' && !isDefaultClient(value)) {
      place.fail(
        "cannot use a custom HTTP client configuration together with 'kubeconfig_file'",
        'kubeconfig_file',
      );
    }
    if (value.kubeconfig_file === '' && value.api_server === '' && !isDefaultClient(value)) {
      place.fail(
        "to use custom HTTP client configuration please provide the 'api_server' URL explicitly",
      );
    }
    if (value.api_server !== '' && value.namespaces.own_namespace) {
      place.fail(
        "cannot use 'api_server' and 'namespaces.own_namespace' simultaneously",
        'namespaces',
      );
    }
    if (value.kubeconfig_file !== '' && value.namespaces.own_namespace) {
      place.fail(
        "cannot use 'kubeconfig_file' and 'namespaces.own_namespace' simultaneously",
        'namespaces',
      );
    }
    checkSelectors(value, place);
    return value;
  },
);

type Selector = { readonly role: string; readonly label: string; readonly field: string };

function checkSelectors(
  { role, selectors }: { readonly role: string; readonly selectors: readonly Selector[] },
  place: Place,
): void {
  const allowed = SELECTOR_ROLES[role]!;
  const seen = new Set<string>();
  for (const { role: selectorRole, label, field: fieldText } of selectors) {
    const fail = (what: string) => place.fail(what, 'selectors');
    if (!ROLES.includes(selectorRole)) fail(`unknown Kubernetes SD role "${selectorRole}"`);
    if (seen.has(selectorRole)) fail(`duplicated selector role: ${selectorRole}`);
    seen.add(selectorRole);
    if (!allowed.includes(selectorRole)) {
      fail(`${role} role supports only ${allowed.join(', ')} selectors`);
    }
    for (const term of termsOf(fieldText)) {
      if (!FIELD_TERM.test(term)) {
        fail(`invalid selector: '${fieldText}'; can't understand '${term}'`);
      }
    }
    for (const term of termsOf(label)) {
      if (!LABEL_TERM.test(term)) fail(`unable to parse label selector '${label}' at '${term}'`);
    }
  }
}

/** Splits at commas outside parentheses. */
function termsOf(text: string): string[] {
  return text.trim() === '' ? [] : text.split(/,(?![^(]*\))/);
}
