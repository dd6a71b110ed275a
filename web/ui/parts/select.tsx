import { NativeSelect } from '@mantine/core';
import { IconChevronDown } from '@tabler/icons-react';

type SelectProps = {
  label: string;
  value: string;
  data: (string | { value: string; label: string })[];
  size?: 'xs' | 'sm';
  onChange: (value: string) => void;
};

/** The browser's own list of choices. */
export function Select({ label, value, data, size = 'sm', onChange }: SelectProps) {
  return (
    <NativeSelect
      size={size}
      aria-label={label}
      data={data}
      value={value}
      rightSection={<IconChevronDown size={15} color="var(--nx-text-dim)" />}
      onChange={(event) => onChange(event.currentTarget.value)}
    />
  );
}
