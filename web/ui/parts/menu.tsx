/** A menu that a button opens; arrow keys, Home and End walk through it. */
import { type KeyboardEvent, type ReactNode, useEffect, useRef } from 'react';
import { Popup } from './popup.tsx';
import classes from './popup.module.css';

type MenuProps = {
  label: string;
  trigger: Parameters<typeof Popup>[0]['trigger'];
  children: (close: () => void) => ReactNode;
};

export function Menu({ label, trigger, children }: MenuProps) {
  return (
    <Popup label={label} role="menu" trigger={trigger}>
      {(close) => <Items>{children(close)}</Items>}
    </Popup>
  );
}

function Items({ children }: { children: ReactNode }) {
  const list = useRef<HTMLDivElement>(null);
  const items = () => [...list.current!.querySelectorAll<HTMLElement>('[role^="menuitem"]')];

  useEffect(() => {
    const current = list.current!.querySelector<HTMLElement>('[aria-checked="true"]');
    (current ?? items()[0])?.focus();
  }, []);

  const walk = (event: KeyboardEvent) => {
    const all = items();
    const at = all.indexOf(document.activeElement as HTMLElement);
    const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    all.at(next % all.length)?.focus();
  };

  return (
    <div ref={list} className={classes.items} onKeyDown={walk} role="presentation">
      {children}
    </div>
  );
}

type MenuItemProps = {
  icon?: ReactNode;
  hint?: ReactNode;
  tone?: 'bad';
  /** Makes it one of a set of choices. */
  checked?: boolean;
  disabled?: boolean;
  onSelect: () => void;
  children: ReactNode;
};

export function MenuItem({
  icon,
  hint,
  tone,
  checked,
  disabled,
  onSelect,
  children,
}: MenuItemProps) {
  return (
    <button
      type="button"
      role={checked === undefined ? 'menuitem' : 'menuitemradio'}
      aria-checked={checked}
      aria-disabled={disabled}
      tabIndex={-1}
      className={classes.item}
      data-tone={tone}
      onClick={() => {
        if (!disabled) onSelect();
      }}
    >
      {icon}
      <span>{children}</span>
      {hint !== undefined && <span className={classes.hint}>{hint}</span>}
    </button>
  );
}

export function MenuDivider() {
  return <hr className={classes.divider} />;
}
