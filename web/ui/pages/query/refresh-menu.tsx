import { Button } from '@mantine/core';
import { IconRefresh } from '@tabler/icons-react';
import { Menu, MenuItem } from '../../parts/menu.tsx';
import { describeDurationMs } from '../../parts/time/duration.ts';

const CHOICES_MS = [0, 2000, 5000, 10_000, 30_000, 60_000, 300_000];

const nameOf = (refreshMs: number) => (refreshMs === 0 ? 'Off' : describeDurationMs(refreshMs));

type RefreshMenuProps = { refreshMs: number; onChange: (refreshMs: number) => void };

/** How often panels that end now are asked again. */
export function RefreshMenu({ refreshMs, onChange }: RefreshMenuProps) {
  return (
    <Menu
      label="Refresh"
      trigger={(props) => (
        <Button
          variant={refreshMs === 0 ? 'default' : 'light'}
          leftSection={<IconRefresh size={16} />}
          {...props}
        >
          Refresh: {nameOf(refreshMs)}
        </Button>
      )}
    >
      {(close) =>
        CHOICES_MS.map((choice) => (
          <MenuItem
            key={choice}
            checked={choice === refreshMs}
            onSelect={() => {
              onChange(choice);
              close();
            }}
          >
            {choice === 0 ? 'Off' : `Every ${nameOf(choice)}`}
          </MenuItem>
        ))
      }
    </Menu>
  );
}
