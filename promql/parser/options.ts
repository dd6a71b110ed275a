/** What the language offers beyond its stable part; each has a `--enable-feature` of its own. */
export type ParserOptions = {
  /** `promql-experimental-functions`: functions and aggregations that are marked so. */
  readonly experimentalFunctions?: boolean;
  /** `promql-extended-range-selectors`: `anchored` and `smoothed`. */
  readonly extendedRangeSelectors?: boolean;
  /** `promql-binop-fill-modifiers`: `fill`, `fill_left`, `fill_right`. */
  readonly binopFillModifiers?: boolean;
};

/** Everything on: for tools that read queries without knowing the server's features. */
export const ALL_FEATURES: ParserOptions = {
  experimentalFunctions: true,
  extendedRangeSelectors: true,
  binopFillModifiers: true,
};
