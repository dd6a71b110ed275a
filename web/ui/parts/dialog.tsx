/** A modal dialog on the browser's own <dialog>: focus stays inside, Escape closes. */
import { IconX } from '@tabler/icons-react';
import { type MouseEvent, type ReactNode, useEffect, useId, useRef } from 'react';
import classes from './dialog.module.css';
import { IconButton } from './icon-button.tsx';

type DialogProps = {
  title: string;
  onClose: () => void;
  /** Pixels; narrower windows are filled. */
  width?: number;
  children: ReactNode;
};

export function Dialog({ title, onClose, width = 560, children }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  useEffect(() => {
    const element = dialog.current!;
    element.showModal();
    // By itself it would focus the first button, which is the one that closes.
    const first = element.querySelector<HTMLElement>('[data-autofocus]');
    (first ?? (element.firstElementChild as HTMLElement)).focus();
    return () => element.close();
  }, []);

  // The backdrop belongs to the dialog element, its content lies in the box inside.
  const closeOnBackdrop = (event: MouseEvent) => {
    if (event.target === dialog.current) onClose();
  };

  return (
    <dialog
      ref={dialog}
      className={classes.dialog}
      style={{ width }}
      aria-labelledby={titleId}
      onCancel={(event) => {
        // Whether it is open is the parent's to say.
        event.preventDefault();
        onClose();
      }}
      onMouseDown={closeOnBackdrop}
    >
      <div className={classes.box} tabIndex={-1}>
        <header className={classes.header}>
          <h2 id={titleId} className={classes.title}>
            {title}
          </h2>
          <IconButton label="Close" onClick={onClose}>
            <IconX size={18} />
          </IconButton>
        </header>
        {children}
      </div>
    </dialog>
  );
}
