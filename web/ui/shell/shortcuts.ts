/** Keys that work everywhere, except while something is being typed. */
import { useNavigate } from '@tanstack/react-router';
import { useEffect, useRef } from 'react';
import { changeSettings, settingsNow } from '../settings/settings.ts';
import { ALL_PAGES } from './pages.ts';

/** After `g`, the second key must follow within this time. */
const SEQUENCE_MS_MAX = 1200;

type Actions = { openHelp: () => void };

export function useShortcuts(actions: Actions): void {
  const navigate = useNavigate();
  const latest = useRef(actions);
  latest.current = actions;

  useEffect(() => {
    let leadMs = Number.NEGATIVE_INFINITY;
    const onKey = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
      if (document.querySelector('dialog[open]') !== null) return;
      const isSecond = event.timeStamp - leadMs < SEQUENCE_MS_MAX;
      leadMs = Number.NEGATIVE_INFINITY;
      if (isSecond) {
        const page = ALL_PAGES.find(({ key }) => key === event.key);
        if (page === undefined) return;
        event.preventDefault();
        void navigate({ to: page.to });
        return;
      }
      switch (event.key) {
        case 'g':
          leadMs = event.timeStamp;
          return;
        case '?':
          latest.current.openHelp();
          break;
        case '/':
          focusPrimaryInput();
          break;
        case 'n':
          window.dispatchEvent(new Event('narthex:add-panel'));
          break;
        case 'z':
          changeSettings({ timeZone: settingsNow().timeZone === 'utc' ? 'local' : 'utc' });
          break;
        default:
          return;
      }
      event.preventDefault();
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, [navigate]);
}

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || target.matches('input, textarea, select'))
  );
}

/** The editor on the query page, the filter on the others. */
function focusPrimaryInput(): void {
  const input = document.querySelector<HTMLElement>('main .cm-content, main [data-primary-input]');
  input?.focus();
}
