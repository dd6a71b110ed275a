/** Queries that were run in this browser, newest first. */
import { useSyncExternalStore } from 'react';

const STORAGE_KEY = 'narthex.query-history';
const ENTRY_COUNT_MAX = 200;
/** A monster pasted once must not push everything else out of the browser's storage. */
const ENTRY_LENGTH_MAX = 5000;

const listeners = new Set<() => void>();
let entries: readonly string[] = read();

function read(): readonly string[] {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(STORAGE_KEY) ?? '[]');
    return Array.isArray(stored) ? stored.filter((one) => typeof one === 'string') : [];
  } catch {
    return [];
  }
}

function publish(next: readonly string[]): void {
  entries = next;
  try {
    localStorage.setItem(STORAGE_KEY, JSON.stringify(entries));
  } catch {
    // Storage full or forbidden: the history lasts until the tab is closed.
  }
  for (const listener of listeners) listener();
}

export function rememberQuery(expr: string): void {
  const text = expr.trim();
  if (text === '' || text.length > ENTRY_LENGTH_MAX || entries[0] === text) return;
  publish([text, ...entries.filter((one) => one !== text)].slice(0, ENTRY_COUNT_MAX));
}

export function forgetQueries(): void {
  publish([]);
}

export const queryHistory = (): readonly string[] => entries;

export function useQueryHistory(): readonly string[] {
  return useSyncExternalStore((listener) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, queryHistory);
}
