/**
 * `$NAME` and `${NAME}` become what `lookUp` says; `$$` becomes `$`.
 * A `$` at the end, or before what cannot start a name, stays as it is.
 */
export function expandVariables(text: string, lookUp: (name: string) => string): string {
  return text.replaceAll(
    /\$(?:\$|\{([^{}]*)\}|(\w+|[*#@!?-])|\{)/g,
    (whole, braced?: string, bare?: string) => {
      if (whole === '$$') return '$';
      if (whole === '${') return '';
      const name = braced ?? bare ?? '';
      return name === '' ? '' : lookUp(name);
    },
  );
}
