/**
 * Customers for the sample shop. Their number rises and falls like over a day, only that a day here
 * takes a quarter of an hour.
 */
import type { FastifyInstance } from 'fastify';
import { PRODUCT_IDS } from './shop.ts';

const DAY_MS = 15 * 60_000;
const REQUESTS_PER_SECOND_MIN = 2;
const REQUESTS_PER_SECOND_MAX = 12;
const USER_COUNT = 60;

/** Share of each kind of request. */
const KINDS: readonly (readonly [weight: number, method: 'GET' | 'POST', url: () => string])[] = [
  [20, 'GET', () => '/'],
  [30, 'GET', () => '/produtos'],
  [10, 'GET', () => '/produtos?busca=mo'],
  [22, 'GET', () => `/produto/${anyOf(PRODUCT_IDS)}`],
  [1, 'GET', () => '/produto/999'],
  [10, 'POST', () => `/carrinho?produto=${anyOf(PRODUCT_IDS)}`],
  [5, 'POST', () => `/checkout?produto=${anyOf(PRODUCT_IDS)}`],
  [2, 'POST', () => '/logout'],
];
const WEIGHT_SUM = KINDS.reduce((sum, [weight]) => sum + weight, 0);

function anyOf<T>(items: readonly T[]): T {
  return items[Math.floor(Math.random() * items.length)]!;
}

/** Requests per second at `timeMs`: low in the "night", with a second, smaller peak. */
export function requestRate(timeMs: number): number {
  const phase = (2 * Math.PI * timeMs) / DAY_MS;
  const wave = 0.5 - 0.35 * Math.cos(phase) - 0.15 * Math.cos(2 * phase);
  return REQUESTS_PER_SECOND_MIN + wave * (REQUESTS_PER_SECOND_MAX - REQUESTS_PER_SECOND_MIN);
}

/** Sends `factor` times the usual requests until the returned function is called. */
export function startTraffic(app: FastifyInstance, factor = 1): () => void {
  let timer: NodeJS.Timeout;
  const next = () => {
    // Gaps of a Poisson process: customers do not know of one another.
    const gapMs = (-1000 * Math.log(1 - Math.random())) / (factor * requestRate(Date.now()));
    timer = setTimeout(() => {
      send(app);
      next();
    }, gapMs).unref();
  };
  next();
  return () => clearTimeout(timer);
}

function send(app: FastifyInstance): void {
  let pick = Math.random() * WEIGHT_SUM;
  const kind = KINDS.find(([weight]) => (pick -= weight) < 0) ?? KINDS[0]!;
  const [, method, url] = kind;
  const target = url();
  const user = `user=${Math.floor(Math.random() * USER_COUNT)}`;
  const full = `${target}${target.includes('?') ? '&' : '?'}${user}`;
  // A refused request is part of the picture; the shop counts it.
  app.inject({ method, url: full }).catch(() => {});
}
