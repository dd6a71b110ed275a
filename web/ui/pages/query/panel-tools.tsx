/** The buttons beside the editor. */
import {
  IconCopyPlus,
  IconDotsVertical,
  IconHistory,
  IconIndentIncrease,
  IconTrash,
  IconZoomCode,
} from '@tabler/icons-react';
import { IconButton } from '../../parts/icon-button.tsx';
import { Menu, MenuItem } from '../../parts/menu.tsx';
import { Popup } from '../../parts/popup.tsx';
import { HistoryList } from './history-list.tsx';

type PanelToolsProps = {
  isOnly: boolean;
  onExplore: () => void;
  onFormat: () => void;
  onPick: (expr: string) => void;
  onDuplicate: () => void;
  onRemove: () => void;
};

export function PanelTools({
  isOnly,
  onExplore,
  onFormat,
  onPick,
  onDuplicate,
  onRemove,
}: PanelToolsProps) {
  return (
    <>
      <IconButton label="Explore metrics" onClick={onExplore}>
        <IconZoomCode size={18} />
      </IconButton>
      <Popup
        label="Past queries"
        trigger={(props) => (
          <IconButton label="Past queries" shortcut="Ctrl ↑" {...props}>
            <IconHistory size={18} />
          </IconButton>
        )}
      >
        {(close) => (
          <HistoryList
            onPick={(expr) => {
              close();
              onPick(expr);
            }}
          />
        )}
      </Popup>
      <IconButton label="Format the expression" onClick={onFormat}>
        <IconIndentIncrease size={18} />
      </IconButton>
      <Menu
        label="Panel"
        trigger={(props) => (
          <IconButton label="Panel menu" {...props}>
            <IconDotsVertical size={18} />
          </IconButton>
        )}
      >
        {(close) => (
          <>
            <MenuItem
              icon={<IconCopyPlus size={16} />}
              onSelect={() => {
                close();
                onDuplicate();
              }}
            >
              Duplicate
            </MenuItem>
            <MenuItem
              icon={<IconTrash size={16} />}
              tone="bad"
              onSelect={() => {
                close();
                onRemove();
              }}
            >
              {isOnly ? 'Clear' : 'Remove'}
            </MenuItem>
          </>
        )}
      </Menu>
    </>
  );
}
