import { ActionIcon } from '@mantine/core';
import type { ComponentProps, ReactNode } from 'react';

type IconButtonProps = Omit<ComponentProps<'button'>, 'color' | 'style'> & {
  /** Its accessible name, shown as a tip as well. */
  label: string;
  /** The key that does the same, shown in the tip. */
  shortcut?: string;
  pressed?: boolean;
  size?: 'sm' | 'md';
  children: ReactNode;
};

/** Mantine's own grey is as dark as text. */
const QUIET = { '--ai-color': 'var(--nx-text-dim)', '--ai-hover': 'var(--nx-hover)' };

export function IconButton({
  label,
  shortcut,
  pressed,
  size = 'md',
  children,
  ...rest
}: IconButtonProps) {
  return (
    <ActionIcon
      variant={pressed ? 'light' : 'subtle'}
      color={pressed ? 'aegean' : 'gray'}
      size={size === 'md' ? 32 : 26}
      aria-label={label}
      aria-pressed={pressed}
      data-tip={label}
      data-tip-key={shortcut}
      style={pressed ? undefined : QUIET}
      {...rest}
    >
      {children}
    </ActionIcon>
  );
}
