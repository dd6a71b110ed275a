/** What is drawn: range, end, resolution, lines or layers. */
import { SegmentedControl } from '@mantine/core';
import { IconChartAreaLine, IconChartLine } from '@tabler/icons-react';
import { MomentInput } from '../../parts/time/moment-input.tsx';
import { RangeInput } from '../../parts/time/range-input.tsx';
import type { PanelState } from '../../parts/query-url/panel-state.ts';
import { ResolutionMenu } from './resolution-menu.tsx';
import classes from './controls.module.css';

type ControlsProps = { state: PanelState; onChange: (part: Partial<PanelState>) => void };

const DISPLAYS = [
  { value: 'lines', label: <DisplayIcon icon="lines" name="Lines" /> },
  { value: 'stacked', label: <DisplayIcon icon="stacked" name="Stacked" /> },
];

function DisplayIcon({ icon, name }: { icon: 'lines' | 'stacked'; name: string }) {
  const Icon = icon === 'lines' ? IconChartLine : IconChartAreaLine;
  return (
    <span data-tip={name} style={{ display: 'flex' }}>
      <Icon size={16} aria-hidden />
      <span className="nx-visually-hidden">{name}</span>
    </span>
  );
}

export function GraphControls({ state, onChange }: ControlsProps) {
  return (
    <>
      <RangeInput rangeMs={state.rangeMs} onChange={(rangeMs) => onChange({ rangeMs })} />
      <MomentInput
        label="End time"
        momentMs={state.endMs}
        stepMs={state.rangeMs / 2}
        onChange={(endMs) => onChange({ endMs })}
      />
      <ResolutionMenu
        resolution={state.resolution}
        rangeMs={state.rangeMs}
        onChange={(resolution) => onChange({ resolution })}
      />
      <SegmentedControl
        size="xs"
        data={DISPLAYS}
        value={state.stacked ? 'stacked' : 'lines'}
        aria-label="Lines or stacked"
        onChange={(value) => onChange({ stacked: value === 'stacked' })}
      />
      <button
        type="button"
        className={classes.button}
        aria-pressed={state.fromZero}
        data-tip="Start the value axis at zero"
        onClick={() => onChange({ fromZero: !state.fromZero })}
      >
        From 0
      </button>
    </>
  );
}
