/** How far apart the points lie: by the width of the graph, or a step of one's own. */
import { IconChevronDown } from '@tabler/icons-react';
import { useState } from 'react';
import { Menu, MenuDivider, MenuItem } from '../../parts/menu.tsx';
import { countOf } from '../../parts/number-text.ts';
import { formatDurationMs, parseDurationMs } from '../../parts/time/duration.ts';
import classes from './controls.module.css';
import {
  type Density,
  FIXED_STEPS_MS,
  POINT_COUNTS,
  type Resolution,
  stepMsOf,
} from '../../parts/query-url/resolution.ts';

type ResolutionMenuProps = {
  resolution: Resolution;
  rangeMs: number;
  onChange: (resolution: Resolution) => void;
};

const DENSITIES: readonly Density[] = ['low', 'medium', 'high'];

export function ResolutionMenu({ resolution, rangeMs, onChange }: ResolutionMenuProps) {
  const stepMs = stepMsOf(resolution, rangeMs);
  return (
    <Menu
      label="Resolution"
      trigger={(props) => (
        <button
          type="button"
          className={classes.button}
          data-tip={`A point every ${formatDurationMs(stepMs)}, ${countOf(Math.floor(rangeMs / stepMs) + 1, 'point')}`}
          {...props}
        >
          <span className="nx-visually-hidden">Resolution: </span>
          {resolution.kind === 'auto'
            ? `Auto, ${formatDurationMs(stepMs)}`
            : formatDurationMs(stepMs)}
          <IconChevronDown size={14} />
        </button>
      )}
    >
      {(close) => {
        const choose = (next: Resolution) => {
          close();
          onChange(next);
        };
        return (
          <>
            {DENSITIES.map((density) => (
              <MenuItem
                key={density}
                checked={resolution.kind === 'auto' && resolution.density === density}
                hint={`${POINT_COUNTS[density]} points`}
                onSelect={() => choose({ kind: 'auto', density })}
              >
                Auto, {density}
              </MenuItem>
            ))}
            <MenuDivider />
            {FIXED_STEPS_MS.map((fixedMs) => (
              <MenuItem
                key={fixedMs}
                checked={resolution.kind !== 'auto' && resolution.stepMs === fixedMs}
                onSelect={() => choose({ kind: 'fixed', stepMs: fixedMs })}
              >
                Every {formatDurationMs(fixedMs)}
              </MenuItem>
            ))}
            <MenuDivider />
            <CustomStep onChoose={(own) => choose({ kind: 'custom', stepMs: own })} />
          </>
        );
      }}
    </Menu>
  );
}

function CustomStep({ onChoose }: { onChoose: (stepMs: number) => void }) {
  const [text, setText] = useState('');
  const stepMs = parseDurationMs(text);
  return (
    <form
      className={classes.custom}
      onSubmit={(event) => {
        event.preventDefault();
        if (stepMs) onChoose(stepMs);
      }}
    >
      <label>
        Own step
        <input
          value={text}
          placeholder="45s"
          size={6}
          onChange={(event) => setText(event.currentTarget.value)}
        />
      </label>
      <button type="submit" disabled={!stepMs}>
        Use
      </button>
    </form>
  );
}
