/**
 * Tips for the whole page: whatever carries `data-tip` shows it on hover and on keyboard focus.
 * One listener and one box, however many buttons there are. A tip repeats what the accessible name
 * says, hence the box is hidden from assistive technology.
 */
import { useEffect, useRef, useState } from 'react';
import classes from './tips.module.css';

type Tip = { text: string; key: string | undefined; rect: DOMRect };

const DELAY_MS = 350;
const HUSHING = ['pointerdown', 'focusout', 'keydown', 'scroll'] as const;

export function Tips() {
  const [tip, setTip] = useState<Tip>();
  const box = useRef<HTMLDivElement>(null);

  useEffect(() => {
    let timer = 0;
    let owner: Element | undefined;
    const hide = () => {
      window.clearTimeout(timer);
      owner = undefined;
      setTip(undefined);
    };
    const aim = (event: Event, delayMs: number) => {
      const target = (event.target as Element).closest?.('[data-tip]') ?? undefined;
      if (target === owner) return;
      hide();
      if (target === undefined) return;
      owner = target;
      timer = window.setTimeout(() => {
        const { tip: text, tipKey: key } = (target as HTMLElement).dataset;
        if (text && target.isConnected) setTip({ text, key, rect: target.getBoundingClientRect() });
      }, delayMs);
    };
    const onPointer = (event: PointerEvent) => {
      if (event.pointerType === 'mouse') aim(event, DELAY_MS);
    };
    const onFocus = (event: FocusEvent) => {
      if ((event.target as Element).matches(':focus-visible')) aim(event, 0);
    };
    document.addEventListener('pointerover', onPointer);
    document.addEventListener('focusin', onFocus);
    // What was pressed has done its work: its tip stays away until the pointer has left it.
    const hush = () => {
      window.clearTimeout(timer);
      setTip(undefined);
    };
    for (const name of HUSHING) {
      document.addEventListener(name, hush, { capture: true, passive: true });
    }
    return () => {
      hide();
      document.removeEventListener('pointerover', onPointer);
      document.removeEventListener('focusin', onFocus);
      for (const name of HUSHING) document.removeEventListener(name, hush, { capture: true });
    };
  }, []);

  useEffect(() => {
    if (tip === undefined || box.current === null) return;
    // A manual popover, because only the top layer lies above open dialogs.
    box.current.showPopover();
    const { width, height } = box.current.getBoundingClientRect();
    const { rect } = tip;
    const center = rect.left + rect.width / 2 - width / 2;
    const left = Math.min(Math.max(6, center), window.innerWidth - width - 6);
    const fitsBelow = rect.bottom + height + 10 < window.innerHeight;
    const top = fitsBelow ? rect.bottom + 6 : rect.top - height - 6;
    Object.assign(box.current.style, { left: `${left}px`, top: `${top}px`, opacity: '1' });
  }, [tip]);

  if (tip === undefined) return null;
  return (
    <div ref={box} popover="manual" className={classes.tip} aria-hidden>
      {tip.text}
      {tip.key !== undefined && <kbd>{tip.key}</kbd>}
    </div>
  );
}
