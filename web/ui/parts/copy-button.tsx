import { IconCheck, IconCopy } from '@tabler/icons-react';
import { useState } from 'react';
import { IconButton } from './icon-button.tsx';

const CONFIRM_MS = 1500;

/** Where the page is not served over TLS there is no clipboard interface, only the old command. */
async function copyText(text: string): Promise<void> {
  if (navigator.clipboard !== undefined) return navigator.clipboard.writeText(text);
  const area = document.createElement('textarea');
  area.value = text;
  document.body.append(area);
  area.select();
  document.execCommand('copy');
  area.remove();
}

export function CopyButton({ text, label = 'Copy' }: { text: () => string; label?: string }) {
  const [done, setDone] = useState(false);
  const copy = async () => {
    await copyText(text());
    setDone(true);
    window.setTimeout(() => setDone(false), CONFIRM_MS);
  };
  return (
    <IconButton label={done ? 'Copied' : label} size="sm" onClick={() => void copy()}>
      {done ? <IconCheck size={15} /> : <IconCopy size={15} />}
    </IconButton>
  );
}
