import { Dialog } from '../parts/dialog.tsx';
import classes from './shortcuts-dialog.module.css';
import { ALL_PAGES } from './pages.ts';

type Keys = readonly [keys: readonly string[], meaning: string];

const SECTIONS: readonly { title: string; keys: readonly Keys[] }[] = [
  {
    title: 'Everywhere',
    keys: [
      [['?'], 'Show this list'],
      [['/'], 'Go to the editor or the filter'],
      [['z'], 'Switch between local time and UTC'],
      [['Esc'], 'Close, or leave the editor'],
    ],
  },
  { title: 'Go to', keys: ALL_PAGES.map(({ key, name }) => [['g', key], name]) },
  {
    title: 'Query editor',
    keys: [
      [['Enter'], 'Run the query'],
      [['Shift', 'Enter'], 'New line'],
      [['Ctrl', 'Space'], 'Show completions'],
      [['Ctrl', '↑'], 'Earlier query'],
      [['Ctrl', '↓'], 'Later query'],
      [['n'], 'Add a panel (outside the editor)'],
    ],
  },
  {
    title: 'Graph',
    keys: [
      [['drag'], 'Zoom into a time range'],
      [['double click'], 'Zoom out'],
      [['Ctrl', 'wheel'], 'Zoom around the pointer'],
      [['Shift', 'drag'], 'Move in time'],
      [['click'], 'Pin the values at this moment'],
      [['←'], 'Move the cursor, also →'],
      [['Ctrl', 'click'], 'On the legend: hide or show one series'],
    ],
  },
];

export default function ShortcutsDialog({ onClose }: { onClose: () => void }) {
  return (
    <Dialog title="Keyboard and mouse" width={780} onClose={onClose}>
      <div className={classes.sections}>
        {SECTIONS.map(({ title, keys }) => (
          <section key={title}>
            <h3>{title}</h3>
            <dl>
              {keys.map(([combination, meaning]) => (
                <div key={meaning}>
                  <dt>
                    {combination.map((key) => (
                      <kbd key={key}>{key}</kbd>
                    ))}
                  </dt>
                  <dd>{meaning}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </Dialog>
  );
}
