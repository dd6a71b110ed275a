import { MomentInput } from '../../parts/time/moment-input.tsx';
import type { PanelState } from '../../parts/query-url/panel-state.ts';

type ControlsProps = { state: PanelState; onChange: (part: Partial<PanelState>) => void };

const STEP_MS = 60_000;

export function TableControls({ state, onChange }: ControlsProps) {
  return (
    <MomentInput
      label="Evaluation time"
      momentMs={state.momentMs}
      stepMs={STEP_MS}
      onChange={(momentMs) => onChange({ momentMs })}
    />
  );
}
