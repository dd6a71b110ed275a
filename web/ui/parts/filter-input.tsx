import { TextInput } from '@mantine/core';
import { IconSearch } from '@tabler/icons-react';

type FilterInputProps = {
  value: string;
  onChange: (text: string) => void;
  label: string;
  width?: number;
};

/** The text filter of a list; the key / brings the cursor here (see shell/shortcuts.ts). */
export function FilterInput({ value, onChange, label, width = 280 }: FilterInputProps) {
  return (
    <TextInput
      type="search"
      size="sm"
      style={{ flex: `0 1 ${width}px`, minWidth: 160 }}
      value={value}
      aria-label={label}
      placeholder={label}
      leftSection={<IconSearch size={15} />}
      data-primary-input
      onChange={(event) => onChange(event.currentTarget.value)}
    />
  );
}
