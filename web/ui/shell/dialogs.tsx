/** Dialogs that the header opens; each is loaded when it is first wanted. */
import { lazy, Suspense } from 'react';

const SettingsDialog = lazy(() => import('../settings/settings-dialog.tsx'));
const ShortcutsDialog = lazy(() => import('./shortcuts-dialog.tsx'));

export type OpenDialog = 'settings' | 'shortcuts' | undefined;

export function Dialogs({ open, onClose }: { open: OpenDialog; onClose: () => void }) {
  return (
    <Suspense>
      {open === 'settings' && <SettingsDialog onClose={onClose} />}
      {open === 'shortcuts' && <ShortcutsDialog onClose={onClose} />}
    </Suspense>
  );
}
