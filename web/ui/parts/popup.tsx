/**
 * A box that a button opens, on the browser's own popovers: they close on Escape and on a click
 * elsewhere, give focus back, and tell assistive technology about the button's state.
 */
import { type ReactNode, type ToggleEvent, useEffect, useId, useRef, useState } from 'react';
import classes from './popup.module.css';

type TriggerProps = { popoverTarget: string; 'aria-haspopup': 'menu' | 'dialog' };

const MARGIN_PX = 8;

type PopupProps = {
  /** Draws the button; it must spread what it is given onto a <button>. */
  trigger: (props: TriggerProps) => ReactNode;
  /** Drawn while open only. Call `close` after a choice was made. */
  children: (close: () => void) => ReactNode;
  role?: 'menu' | 'dialog';
  label: string;
  className?: string;
};

export function Popup({ trigger, children, role = 'dialog', label, className = '' }: PopupProps) {
  const id = useId();
  const box = useRef<HTMLDivElement>(null);
  const [opened, setOpened] = useState(false);
  const close = () => box.current?.hidePopover();

  useEffect(() => {
    if (!opened) return;
    const closeWhenMoved = () => box.current?.hidePopover();
    // Scrolling inside the box does not bubble up to the document, so only the page's counts.
    document.addEventListener('scroll', closeWhenMoved);
    window.addEventListener('resize', closeWhenMoved);
    return () => {
      document.removeEventListener('scroll', closeWhenMoved);
      window.removeEventListener('resize', closeWhenMoved);
    };
  }, [opened]);

  const beforeToggle = ({ newState, currentTarget }: ToggleEvent<HTMLDivElement>) => {
    if (newState !== 'open') return;
    const button = document.querySelector(`[popovertarget="${CSS.escape(id)}"]`);
    if (button !== null) place(currentTarget, button.getBoundingClientRect());
    setOpened(true);
  };

  return (
    <>
      {trigger({ popoverTarget: id, 'aria-haspopup': role })}
      <div
        ref={box}
        id={id}
        popover="auto"
        role={role}
        aria-label={label}
        className={`${classes.popup} ${className}`}
        onBeforeToggle={beforeToggle}
        onToggle={({ newState }) => setOpened(newState === 'open')}
      >
        {opened && children(close)}
      </div>
    </>
  );
}

/**
 * Below the button or above it, whichever side has more room, and aligned with the edge that is
 * nearer to the middle of the window: so nothing has to be measured before it is shown.
 */
function place(box: HTMLElement, button: DOMRect): void {
  const { innerHeight, innerWidth } = window;
  const below = innerHeight - button.bottom;
  const isBelow = below > 320 || below > button.top;
  const isLeft = button.left + button.width / 2 < innerWidth / 2;
  Object.assign(box.style, {
    top: isBelow ? `${button.bottom + 4}px` : 'auto',
    bottom: isBelow ? 'auto' : `${innerHeight - button.top + 4}px`,
    left: isLeft ? `${Math.max(MARGIN_PX, button.left)}px` : 'auto',
    right: isLeft ? 'auto' : `${Math.max(MARGIN_PX, innerWidth - button.right)}px`,
    maxHeight: `${(isBelow ? below : button.top) - 4 - MARGIN_PX}px`,
  });
}
