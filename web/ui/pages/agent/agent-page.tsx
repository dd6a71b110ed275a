/** /agent: where a server that runs as an agent begins. */
import { IconSend } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { Page } from '../../parts/page.tsx';
import { Empty } from '../../parts/state-views.tsx';

export default function AgentPage() {
  return (
    <Page title="Agent">
      <Empty icon={<IconSend size={36} />} title="This server forwards what it collects">
        <p>
          As an agent it scrapes targets and sends their samples on by remote write. It keeps
          nothing that could be queried, and evaluates no rules.
        </p>
        <p>
          See its <Link to="/targets">targets</Link>, what{' '}
          <Link to="/service-discovery">service discovery</Link> found, and its{' '}
          <Link to="/config">configuration</Link>.
        </p>
      </Empty>
    </Page>
  );
}
