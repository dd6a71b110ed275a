/** How far back a graph reaches: typed, stepped, or picked from a list. */
import { IconChevronDown, IconMinus, IconPlus } from '@tabler/icons-react';
import { useEffect, useState } from 'react';
import { Menu, MenuItem } from '../menu.tsx';
import { formatDurationMs, longerRangeMs, parseDurationMs, shorterRangeMs } from './duration.ts';
import classes from './stepper.module.css';

const PRESETS = ['5m', '15m', '1h', '3h', '6h', '12h', '1d', '2d', '1w', '2w', '30d'];

type RangeInputProps = { rangeMs: number; onChange: (rangeMs: number) => void };

export function RangeInput({ rangeMs, onChange }: RangeInputProps) {
  const [text, setText] = useState(formatDurationMs(rangeMs));
  useEffect(() => setText(formatDurationMs(rangeMs)), [rangeMs]);
  const typedMs = parseDurationMs(text);
  const isInvalid = typedMs === undefined || typedMs === 0;

  const commit = () => {
    if (isInvalid) setText(formatDurationMs(rangeMs));
    else if (typedMs !== rangeMs) onChange(typedMs);
  };
  return (
    <div className={classes.stepper} data-invalid={isInvalid}>
      <button
        type="button"
        aria-label="Shorter range"
        data-tip="Shorter range"
        onClick={() => onChange(shorterRangeMs(rangeMs))}
      >
        <IconMinus size={14} />
      </button>
      <input
        type="text"
        size={5}
        value={text}
        aria-label="Range"
        aria-invalid={isInvalid}
        onChange={(event) => setText(event.currentTarget.value)}
        onBlur={commit}
        onKeyDown={(event) => {
          if (event.key === 'Enter') commit();
        }}
      />
      <Menu
        label="Common ranges"
        trigger={(props) => (
          <button type="button" aria-label="Common ranges" style={{ width: 18 }} {...props}>
            <IconChevronDown size={14} />
          </button>
        )}
      >
        {(close) =>
          PRESETS.map((preset) => (
            <MenuItem
              key={preset}
              checked={parseDurationMs(preset) === rangeMs}
              onSelect={() => {
                close();
                onChange(parseDurationMs(preset)!);
              }}
            >
              {preset}
            </MenuItem>
          ))
        }
      </Menu>
      <button
        type="button"
        aria-label="Longer range"
        data-tip="Longer range"
        onClick={() => onChange(longerRangeMs(rangeMs))}
      >
        <IconPlus size={14} />
      </button>
    </div>
  );
}
