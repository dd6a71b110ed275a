/** What goes wrong in the shop, on purpose: one scenario for each alert of `examples/rules.yml`. */
export type Scenario = {
  /** Share of checkouts that fail. */
  readonly failureRatio: number;
  /** How many times as long as usual everything takes. */
  readonly slowness: number;
  /** Whether somebody fills the shelves. */
  readonly restocks: boolean;
};

export const SCENARIOS = {
  /** Nothing beyond the usual: the bank fails now and then. */
  usual: { failureRatio: 0.03, slowness: 1, restocks: true },
  /** HighErrorRate: the bank refuses every second checkout. */
  errors: { failureRatio: 0.5, slowness: 1, restocks: true },
  /** SlowRequests: everything takes a hundred times as long. */
  slow: { failureRatio: 0.03, slowness: 100, restocks: true },
  /** LowStock: nobody fills the shelves. */
  'sold-out': { failureRatio: 0.03, slowness: 1, restocks: false },
} as const satisfies Readonly<Record<string, Scenario>>;
