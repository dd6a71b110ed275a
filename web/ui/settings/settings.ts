/** What a person has chosen, kept in this browser. */
import { useSyncExternalStore } from 'react';

export type Settings = {
  timeZone: 'local' | 'utc';
  /** Editor: offer names while typing. */
  completion: boolean;
  /** Editor: offer past queries among the completions. */
  historyInCompletion: boolean;
  /** Editor: underline errors while typing. */
  linting: boolean;
  showWarnings: boolean;
  showInfos: boolean;
  /** Graph: the range of new panels, as typed: 1h. */
  defaultRange: string;
  /** Legend rows carry last, min, mean and max. */
  legendFigures: boolean;
};

const DEFAULTS: Settings = {
  timeZone: 'local',
  completion: true,
  historyInCompletion: true,
  linting: true,
  showWarnings: true,
  showInfos: true,
  defaultRange: '1h',
  legendFigures: true,
};

const STORAGE_KEY = 'narthex.settings';
const listeners = new Set<() => void>();
let current = read();

function read(): Settings {
  try {
    const stored = JSON.parse(localStorage.getItem(STORAGE_KEY) ?? '{}') as Partial<Settings>;
    return { ...DEFAULTS, ...stored };
  } catch {
    return DEFAULTS;
  }
}

function publish(settings: Settings): void {
  current = settings;
  for (const listener of listeners) listener();
}

// Another tab changed them.
window.addEventListener('storage', ({ key }) => {
  if (key === STORAGE_KEY) publish(read());
});

export function changeSettings(change: Partial<Settings>): void {
  publish({ ...current, ...change });
  try {
    localStorage.setItem(STORAGE_KEY, JSON.stringify(current));
  } catch {
    // Storage full or forbidden: the choice lasts until the tab is closed.
  }
}

export const settingsNow = (): Settings => current;

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function useSettings(): Settings {
  return useSyncExternalStore(subscribe, settingsNow);
}
