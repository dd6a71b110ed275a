import { IconBulb, IconChevronDown, IconChevronUp } from '@tabler/icons-react';
import { memo, useState } from 'react';
import type { ActiveTarget, TargetHealth } from '../../api/targets.ts';
import { Ago } from '../../parts/ago.tsx';
import { IconButton } from '../../parts/icon-button.tsx';
import { LabelChips } from '../../parts/labels.tsx';
import { StatusBadge, type Tone } from '../../parts/status-badge.tsx';
import { describeDurationMs, parseDurationMs } from '../../parts/time/duration.ts';
import { targetHint } from './target-hint.ts';
import classes from './targets.module.css';

const TONES: Record<TargetHealth, Tone> = { up: 'ok', down: 'bad', unknown: 'idle' };

export const TargetRow = memo(function TargetRow({ target }: { target: ActiveTarget }) {
  const [isOpen, setOpen] = useState(false);
  const neverScraped = Date.parse(target.lastScrape) < 0;
  return (
    <tbody className={classes.target}>
      <tr>
        <td className={classes.endpoint}>
          <a href={target.globalUrl} target="_blank" rel="noreferrer">
            {target.scrapeUrl}
          </a>
        </td>
        <td>
          <StatusBadge tone={TONES[target.health]}>{target.health}</StatusBadge>
        </td>
        <td className={classes.labels}>
          <LabelChips labels={target.labels} without="job" />
        </td>
        <td>
          <Ago iso={target.lastScrape} />
        </td>
        <td>{!neverScraped && <Duration target={target} />}</td>
        <td className={classes.more}>
          <IconButton
            size="sm"
            label={isOpen ? 'Hide details' : 'Show details'}
            aria-expanded={isOpen}
            onClick={() => setOpen(!isOpen)}
          >
            {isOpen ? <IconChevronUp size={16} /> : <IconChevronDown size={16} />}
          </IconButton>
        </td>
      </tr>
      {target.lastError !== '' && (
        <tr>
          <td colSpan={6} className={classes.errorCell}>
            <ScrapeError target={target} />
          </td>
        </tr>
      )}
      {isOpen && (
        <tr>
          <td colSpan={6} className={classes.detailCell}>
            <Details target={target} />
          </td>
        </tr>
      )}
    </tbody>
  );
});

/** The bar is full when the scrape took as long as the timeout allows. */
function Duration({ target }: { target: ActiveTarget }) {
  const durationMs = target.lastScrapeDuration * 1000;
  const timeoutMs = parseDurationMs(target.scrapeTimeout) ?? 10_000;
  const share = Math.min(1, durationMs / timeoutMs);
  const tone = share > 0.8 ? 'bad' : share > 0.5 ? 'warn' : 'ok';
  return (
    <div
      className={classes.duration}
      data-tip={`${(share * 100).toFixed(share < 0.1 ? 1 : 0)}% of the timeout, ${target.scrapeTimeout}`}
    >
      <span className="nx-figures">{describeDurationMs(durationMs)}</span>
      <span className={classes.durationBar} data-tone={tone} aria-hidden>
        <span style={{ width: `${Math.max(2, share * 100)}%` }} />
      </span>
    </div>
  );
}

function ScrapeError({ target }: { target: ActiveTarget }) {
  const hint = targetHint(target);
  return (
    <div className={classes.error}>
      <code>{target.lastError}</code>
      {hint !== undefined && (
        <div className={classes.hint}>
          <IconBulb size={16} aria-hidden />
          <span>{hint}</span>
        </div>
      )}
    </div>
  );
}

function Details({ target }: { target: ActiveTarget }) {
  return (
    <dl className={classes.details}>
      <dt>Scraped every</dt>
      <dd>
        {target.scrapeInterval}, with a timeout of {target.scrapeTimeout}
      </dd>
      <dt>Labels</dt>
      <dd>
        <LabelChips labels={target.labels} />
      </dd>
      <dt>Discovered as</dt>
      <dd>
        <LabelChips labels={target.discoveredLabels} />
      </dd>
    </dl>
  );
}
