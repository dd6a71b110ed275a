/** Relabelling step by step: each rule, and what it changed. */
import { IconArrowDown } from '@tabler/icons-react';
import { Fragment } from 'react';
import type { LabelSet } from '../../api/query-result.ts';
import { type RelabelStep, useRelabelSteps } from '../../api/targets.ts';
import { Dialog } from '../../parts/dialog.tsx';
import { LabelChips } from '../../parts/labels.tsx';
import { Empty, Loaded } from '../../parts/state-views.tsx';
import { StatusBadge } from '../../parts/status-badge.tsx';
import classes from './discovery.module.css';
import type { Found } from './found-targets.ts';
import { labelChanges } from './label-changes.ts';

/** Actions that decide whether a target stays. */
const FILTERS = new Set(['keep', 'drop', 'keepequal', 'dropequal']);

export default function RelabelDialog({ found, onClose }: { found: Found; onClose: () => void }) {
  const steps = useRelabelSteps(found.scrapePool, found.discoveredLabels);
  return (
    <Dialog title={`Relabelling in ${found.scrapePool}`} width={860} onClose={onClose}>
      <div className={classes.steps}>
        <div className={classes.caption}>Discovered labels</div>
        <LabelChips labels={found.discoveredLabels} />
        <Loaded query={steps}>
          {(all) =>
            all.length === 0 ? (
              <Empty title="No relabelling">
                This job has no <code>relabel_configs</code>.
              </Empty>
            ) : (
              all.map((step, index) => (
                // Steps have no name of their own; their order is what they are.
                <Fragment key={index}>
                  <Step
                    step={step}
                    number={index + 1}
                    before={index === 0 ? found.discoveredLabels : all[index - 1]!.output}
                  />
                </Fragment>
              ))
            )
          }
        </Loaded>
      </div>
    </Dialog>
  );
}

function Step({ step, number, before }: { step: RelabelStep; number: number; before: LabelSet }) {
  const changes = labelChanges(before, step.output);
  return (
    <>
      <IconArrowDown size={18} className={classes.arrow} aria-hidden />
      <section className={classes.step} aria-label={`Rule ${number}`}>
        <pre className={classes.rule}>{ruleText(step.rule)}</pre>
        <div>
          {!step.keep && <StatusBadge tone="bad">dropped here</StatusBadge>}
          {step.keep && changes.length === 0 && (
            <span className="nx-dim">
              {FILTERS.has(String(step.rule.action)) ? 'Lets it pass' : 'Changes nothing'}
            </span>
          )}
          {step.keep &&
            changes.map(({ name, from, to }) => (
              <div key={name} className={classes.change}>
                <code>{name}</code>
                {from !== undefined && <del>{from}</del>}
                {to !== undefined && <ins>{to}</ins>}
              </div>
            ))}
        </div>
      </section>
    </>
  );
}

function ruleText(rule: Record<string, unknown>): string {
  return Object.entries(rule)
    .map(
      ([key, value]) => `${key}: ${Array.isArray(value) ? `[${value.join(', ')}]` : String(value)}`,
    )
    .join('\n');
}
