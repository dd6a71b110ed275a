declare const brand: unique symbol;
type Brand<T, Name extends string> = T & { readonly [brand]: Name };

/**
 * Identity of a series inside one head, as written in WAL records: counted from 1, never reused.
 * Not comparable with references into a block's index.
 */
export type SeriesRef = Brand<number, 'SeriesRef'>;

/** "No such series": references count from 1. */
export const NO_SERIES = 0 as SeriesRef;
