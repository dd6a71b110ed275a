/** /alertmanager-discovery: where alerts are sent. */
import { IconSend } from '@tabler/icons-react';
import { useReceivers } from '../../api/alert-history.ts';
import { useAlertmanagers } from '../../api/status.ts';
import { Card, Page } from '../../parts/page.tsx';
import { Empty, Loaded } from '../../parts/state-views.tsx';
import classes from './alertmanagers.module.css';
import { Receivers } from './receivers.tsx';

export default function AlertmanagersPage() {
  const alertmanagers = useAlertmanagers();
  const receivers = useReceivers().data?.receivers ?? [];
  return (
    <Page
      title="Alertmanagers"
      intro="Where alerts are sent: Alertmanagers, and receivers that need none."
    >
      <Loaded query={alertmanagers}>
        {({ activeAlertmanagers, droppedAlertmanagers }) => {
          const active = activeAlertmanagers ?? [];
          const dropped = droppedAlertmanagers ?? [];
          if (active.length + dropped.length === 0) {
            return receivers.length === 0 ? <NoAlertmanagers /> : null;
          }
          return (
            <>
              <UrlList title="Active" entries={active} />
              {dropped.length > 0 && <UrlList title="Dropped by relabelling" entries={dropped} />}
            </>
          );
        }}
      </Loaded>
      {receivers.length > 0 && <Receivers />}
    </Page>
  );
}

function UrlList({ title, entries }: { title: string; entries: readonly { url: string }[] }) {
  return (
    <Card title={`${title} (${entries.length})`} flush>
      {entries.length === 0 && <p className={classes.none}>None</p>}
      <ul className={classes.list}>
        {entries.map(({ url }) => (
          <li key={url}>
            <a href={url.replace(/\/api\/v\d\/alerts$/, '')} target="_blank" rel="noreferrer">
              {url}
            </a>
          </li>
        ))}
      </ul>
    </Card>
  );
}

function NoAlertmanagers() {
  return (
    <Empty icon={<IconSend size={36} />} title="Alerts are not sent anywhere yet">
      <p>Without an Alertmanager, alerts are only visible here. Name one in the configuration:</p>
      <pre>{`alerting:
  alertmanagers:
    - static_configs:
        - targets: ['localhost:9093']`}</pre>
      <p>
        Webhooks, e-mail and Slack need none: name a file with receivers by
        <code> --notifications.file</code>.
      </p>
    </Empty>
  );
}
