/** A moment, or now: typed, stepped, or picked from the browser's calendar. */
import { IconCalendar, IconChevronLeft, IconChevronRight, IconX } from '@tabler/icons-react';
import { useEffect, useRef, useState } from 'react';
import { useSettings } from '../../settings/settings.ts';
import { parseMoment } from './moment-parse.ts';
import { formatMoment, fromInputValue, toInputValue, zoneName } from './moment-text.ts';
import classes from './stepper.module.css';

type MomentInputProps = {
  label: string;
  /** undefined: now. */
  momentMs: number | undefined;
  /** How far the arrows go. */
  stepMs: number;
  onChange: (momentMs: number | undefined) => void;
};

export function MomentInput({ label, momentMs, stepMs, onChange }: MomentInputProps) {
  const { timeZone } = useSettings();
  const shown = momentMs === undefined ? '' : formatMoment(momentMs, timeZone);
  const [text, setText] = useState(shown);
  useEffect(() => setText(shown), [shown]);
  const calendar = useRef<HTMLInputElement>(null);

  const typed = text.trim() === '' ? 'now' : parseMoment(text, timeZone, Date.now());
  const commit = () => {
    if (text === shown) return;
    if (typed === undefined) setText(shown);
    else onChange(typed === 'now' ? undefined : typed);
  };
  const step = (direction: 1 | -1) => {
    const fromMs = momentMs ?? Math.floor(Date.now() / 1000) * 1000;
    const toMs = fromMs + direction * stepMs;
    // Stepping past now ends at now, and follows it again.
    onChange(toMs >= Date.now() ? undefined : toMs);
  };

  return (
    <div className={classes.stepper} data-invalid={typed === undefined}>
      <button
        type="button"
        aria-label={`${label}: earlier`}
        data-tip="Earlier"
        onClick={() => step(-1)}
      >
        <IconChevronLeft size={15} />
      </button>
      <div className={classes.picker} style={{ display: 'flex' }}>
        <button
          type="button"
          aria-label={`${label}: calendar`}
          data-tip={`${label}, in ${zoneName(timeZone)}`}
          onClick={() => calendar.current?.showPicker()}
        >
          <IconCalendar size={15} />
        </button>
        <input
          ref={calendar}
          type="datetime-local"
          step={1}
          tabIndex={-1}
          aria-hidden
          value={toInputValue(momentMs ?? Date.now(), timeZone)}
          onChange={(event) => {
            const picked = fromInputValue(event.currentTarget.value, timeZone);
            if (picked !== undefined) onChange(picked);
          }}
        />
      </div>
      <input
        type="text"
        size={momentMs === undefined && text === '' ? 5 : 18}
        value={text}
        placeholder="now"
        aria-label={label}
        aria-invalid={typed === undefined}
        onChange={(event) => setText(event.currentTarget.value)}
        onBlur={commit}
        onKeyDown={(event) => {
          if (event.key === 'Enter') commit();
        }}
      />
      {momentMs !== undefined && (
        <button
          type="button"
          aria-label={`${label}: back to now`}
          data-tip="Back to now"
          onClick={() => onChange(undefined)}
        >
          <IconX size={14} />
        </button>
      )}
      <button type="button" aria-label={`${label}: later`} data-tip="Later" onClick={() => step(1)}>
        <IconChevronRight size={15} />
      </button>
    </div>
  );
}
