import { SegmentedControl, useMantineColorScheme } from '@mantine/core';
import { type ReactNode, useId } from 'react';
import { Dialog } from '../parts/dialog.tsx';
import { Select } from '../parts/select.tsx';
import { zoneName } from '../parts/time/moment-text.ts';
import classes from './settings-dialog.module.css';
import { changeSettings, type Settings, useSettings } from './settings.ts';

const RANGES = ['5m', '15m', '30m', '1h', '3h', '6h', '12h', '1d', '1w'];

export default function SettingsDialog({ onClose }: { onClose: () => void }) {
  const settings = useSettings();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  return (
    <Dialog title="Settings" width={540} onClose={onClose}>
      <div className={classes.body}>
        <Group title="Appearance">
          <Row label="Theme">
            <SegmentedControl
              size="xs"
              aria-label="Theme"
              data={[
                { value: 'auto', label: 'As the system' },
                { value: 'light', label: 'Light' },
                { value: 'dark', label: 'Dark' },
              ]}
              value={colorScheme}
              onChange={(value) => setColorScheme(value)}
            />
          </Row>
          <Row label="Times in">
            <SegmentedControl
              size="xs"
              aria-label="Times in"
              data={[
                { value: 'local', label: `Local (${zoneName('local')})` },
                { value: 'utc', label: 'UTC' },
              ]}
              value={settings.timeZone}
              onChange={(value) => changeSettings({ timeZone: value })}
            />
          </Row>
        </Group>
        <Group title="Editor">
          <Toggle name="completion" label="Offer names while typing" />
          <Toggle name="historyInCompletion" label="Offer past queries among them" />
          <Toggle name="linting" label="Underline errors while typing" />
        </Group>
        <Group title="Results">
          <Row label="Range of new graphs">
            <Select
              size="xs"
              label="Range of new graphs"
              data={RANGES}
              value={settings.defaultRange}
              onChange={(value) => changeSettings({ defaultRange: value })}
            />
          </Row>
          <Toggle name="legendFigures" label="Show last, min, mean and max in legends" />
          <Toggle name="showWarnings" label="Show warnings of queries" />
          <Toggle name="showInfos" label="Show hints (infos) of queries" />
        </Group>
        <p className={classes.note}>Settings are kept in this browser.</p>
      </div>
    </Dialog>
  );
}

function Group({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className={classes.group}>
      <h3>{title}</h3>
      {children}
    </section>
  );
}

function Row({ label, children }: { label: string; children: ReactNode }) {
  return (
    <div className={classes.row}>
      <span>{label}</span>
      {children}
    </div>
  );
}

type BooleanSetting = {
  [Key in keyof Settings]: Settings[Key] extends boolean ? Key : never;
}[keyof Settings];

function Toggle({ name, label }: { name: BooleanSetting; label: string }) {
  const settings = useSettings();
  const id = useId();
  return (
    <label className={classes.row} htmlFor={id}>
      <span>{label}</span>
      <input
        id={id}
        type="checkbox"
        role="switch"
        className={classes.switch}
        checked={settings[name]}
        onChange={(event) => changeSettings({ [name]: event.currentTarget.checked })}
      />
    </label>
  );
}
