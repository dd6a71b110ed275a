import { useMantineColorScheme } from '@mantine/core';
import {
  IconChevronDown,
  IconDeviceDesktop,
  IconKeyboard,
  IconMenu2,
  IconMoon,
  IconSettings,
  IconSun,
} from '@tabler/icons-react';
import { Link, useLocation, useNavigate } from '@tanstack/react-router';
import { useFiringCount } from '../api/rules.ts';
import { givenTitle } from '../base.ts';
import { IconButton } from '../parts/icon-button.tsx';
import { Menu, MenuDivider, MenuItem } from '../parts/menu.tsx';
import { countOf } from '../parts/number-text.ts';
import { zoneName } from '../parts/time/moment-text.ts';
import { changeSettings, useSettings } from '../settings/settings.ts';
import type { OpenDialog } from './dialogs.tsx';
import { Mark } from './mark.tsx';
import { NotificationBell } from './notification-bell.tsx';
import { ALL_PAGES, MAIN_PAGES, STATUS_PAGES } from './pages.ts';
import classes from './shell.module.css';

type HeaderProps = { isReady: boolean; onOpen: (dialog: OpenDialog) => void };

export function Header({ isReady, onOpen }: HeaderProps) {
  return (
    <header className={classes.header}>
      <BurgerMenu />
      <Link to="/query" className={classes.brand}>
        <Mark />
        Narthex
        {givenTitle !== '' && <span className={classes.title}>{givenTitle}</span>}
      </Link>
      <nav className={classes.nav} aria-label="Pages">
        {MAIN_PAGES.map(({ to, name }) => (
          <Link key={to} to={to} className={classes.link}>
            {name}
            {to === '/alerts' && isReady && <FiringCount />}
          </Link>
        ))}
        <StatusMenu />
      </nav>
      <div className={classes.tools}>
        <ZoneToggle />
        <NotificationBell />
        <ThemeToggle />
        <IconButton label="Keyboard shortcuts" shortcut="?" onClick={() => onOpen('shortcuts')}>
          <IconKeyboard size={19} />
        </IconButton>
        <IconButton label="Settings" onClick={() => onOpen('settings')}>
          <IconSettings size={19} />
        </IconButton>
      </div>
    </header>
  );
}

function FiringCount() {
  const { data: count = 0 } = useFiringCount();
  if (count === 0) return null;
  const text = countOf(count, 'alert fires', 'alerts fire');
  return (
    <span className={classes.count} data-tip={text}>
      {count > 99 ? '99+' : count}
      <span className="nx-visually-hidden"> firing</span>
    </span>
  );
}

/** The page's path without the route prefix. */
const usePath = () => useLocation({ select: ({ pathname }) => pathname });

function StatusMenu() {
  const path = usePath();
  const navigate = useNavigate();
  return (
    <Menu
      label="Status pages"
      trigger={(props) => (
        <button
          type="button"
          className={classes.link}
          data-active={STATUS_PAGES.some(({ to }) => to === path)}
          {...props}
        >
          Status
          <IconChevronDown size={15} />
        </button>
      )}
    >
      {(close) =>
        STATUS_PAGES.map(({ to, name, hint }) => (
          <MenuItem
            key={to}
            hint={hint}
            checked={to === path}
            onSelect={() => {
              close();
              void navigate({ to });
            }}
          >
            {name}
          </MenuItem>
        ))
      }
    </Menu>
  );
}

function BurgerMenu() {
  const path = usePath();
  const navigate = useNavigate();
  return (
    <div className={classes.burger}>
      <Menu
        label="Pages"
        trigger={(props) => (
          <IconButton label="Pages" {...props}>
            <IconMenu2 size={20} />
          </IconButton>
        )}
      >
        {(close) =>
          ALL_PAGES.map(({ to, name }) => (
            <div key={to} role="none">
              {to === STATUS_PAGES[0].to && <MenuDivider />}
              <MenuItem
                checked={to === path}
                onSelect={() => {
                  close();
                  void navigate({ to });
                }}
              >
                {name}
              </MenuItem>
            </div>
          ))
        }
      </Menu>
    </div>
  );
}

function ZoneToggle() {
  const { timeZone } = useSettings();
  const other = timeZone === 'local' ? 'utc' : 'local';
  return (
    <button
      type="button"
      className={classes.zone}
      data-tip={other === 'utc' ? 'Show times in UTC' : `Show times in ${zoneName('local')}`}
      data-tip-key="z"
      onClick={() => changeSettings({ timeZone: other })}
    >
      <span className="nx-visually-hidden">Time zone: </span>
      {timeZone === 'utc' ? 'UTC' : 'Local time'}
    </button>
  );
}

const SCHEMES = {
  auto: { next: 'light', Icon: IconDeviceDesktop, text: 'as the system' },
  light: { next: 'dark', Icon: IconSun, text: 'light' },
  dark: { next: 'auto', Icon: IconMoon, text: 'dark' },
} as const;

function ThemeToggle() {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const { next, Icon, text } = SCHEMES[colorScheme];
  return (
    <IconButton label={`Theme: ${text}`} onClick={() => setColorScheme(next)}>
      <Icon size={19} />
    </IconButton>
  );
}
