/** A line in a tinted box, for what a person should know beside the content. */
import { IconAlertTriangle, IconInfoCircle, IconX } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { IconButton } from './icon-button.tsx';
import classes from './notice.module.css';

type NoticeProps = {
  tone: 'info' | 'warn' | 'bad';
  title?: ReactNode;
  aside?: ReactNode;
  onClose?: () => void;
  children?: ReactNode;
};

export function Notice({ tone, title, aside, onClose, children }: NoticeProps) {
  const Icon = tone === 'info' ? IconInfoCircle : IconAlertTriangle;
  return (
    <div className={classes.notice} data-tone={tone} role={tone === 'bad' ? 'alert' : 'status'}>
      <Icon size={17} className={classes.icon} aria-hidden />
      <div className={classes.text}>
        {title !== undefined && <div className={classes.title}>{title}</div>}
        {children}
      </div>
      {aside}
      {onClose !== undefined && (
        <IconButton label="Hide" size="sm" onClick={onClose}>
          <IconX size={14} />
        </IconButton>
      )}
    </div>
  );
}
