import type { AlertState } from '../../api/rules.ts';
import type { Tone } from '../../parts/status-badge.tsx';

export const STATE_TONES: Record<AlertState, Tone> = {
  firing: 'bad',
  pending: 'warn',
  inactive: 'ok',
  unknown: 'idle',
};
