/**
 * Mantine's theme. Colours that our own stylesheets use stand in theme.css; here the same ones are
 * handed to Mantine's components.
 */
import {
  type ButtonProps,
  type CSSVariablesResolver,
  createTheme,
  type MantineColorsTuple,
  type MantineTheme,
} from '@mantine/core';

/** Blue of the sea, dark enough from the seventh shade on to carry white text. */
const aegean: MantineColorsTuple = [
  '#e6f4fa',
  '#cfe7f3',
  '#9dcde6',
  '#6ab3d9',
  '#43a0cf',
  '#2a8fc2',
  '#1a7dae',
  '#0f6b99',
  '#0b567c',
  '#07405d',
];
const gray: MantineColorsTuple = [
  '#f7f8f8',
  '#eff1f2',
  '#e3e7e9',
  '#d2d8db',
  '#cdd4d8',
  '#8f9ba2',
  '#66737b',
  '#4b575e',
  '#333d43',
  '#1c2428',
];
const dark: MantineColorsTuple = [
  '#dde3e6',
  '#b4bfc5',
  '#93a0a8',
  '#66737b',
  '#3b474e',
  '#2b353b',
  '#1f272c',
  '#171d21',
  '#11161a',
  '#0b0f11',
];

const QUIET_BUTTON = { '--button-color': 'var(--nx-link)', '--button-hover': 'var(--nx-hover)' };

export const theme = createTheme({
  primaryColor: 'aegean',
  primaryShade: { light: 7, dark: 7 },
  colors: { aegean, gray, dark },
  black: '#1c2428',
  defaultRadius: 'md',
  cursorType: 'pointer',
  fontFamily: 'var(--nx-font)',
  fontFamilyMonospace: 'var(--nx-mono)',
  fontSizes: { xs: '12px', sm: '13px', md: '14px', lg: '16px', xl: '18px' },
  radius: { xs: '3px', sm: '4px', md: '6px', lg: '10px', xl: '14px' },
  focusRing: 'auto',
  respectReducedMotion: true,
  components: {
    Button: {
      defaultProps: { fw: 600 },
      vars: (_theme: MantineTheme, { variant }: ButtonProps) => ({
        root: variant === 'subtle' ? QUIET_BUTTON : {},
      }),
    },
    SegmentedControl: { styles: { label: { fontWeight: 500, paddingInline: 9 } } },
  },
});

const ours = {
  '--mantine-color-body': 'var(--nx-bg)',
  '--mantine-color-text': 'var(--nx-text)',
  '--mantine-color-dimmed': 'var(--nx-text-dim)',
  '--mantine-color-placeholder': 'var(--nx-text-faint)',
  '--mantine-color-anchor': 'var(--nx-link)',
  '--mantine-color-default': 'var(--nx-surface)',
  '--mantine-color-default-hover': 'var(--nx-hover)',
  '--mantine-color-default-color': 'var(--nx-text)',
  '--mantine-color-default-border': 'var(--nx-border-strong)',
  '--mantine-color-error': 'var(--nx-bad)',
};

export const variablesResolver: CSSVariablesResolver = () => ({
  variables: {},
  light: ours,
  dark: ours,
});
