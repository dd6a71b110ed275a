/** /config: the configuration in force. */
import { useConfig } from '../../api/status.ts';
import { CopyButton } from '../../parts/copy-button.tsx';
import { countOf } from '../../parts/number-text.ts';
import { Card, Page } from '../../parts/page.tsx';
import { Loaded } from '../../parts/state-views.tsx';
import { YamlText } from './yaml-text.tsx';

export default function ConfigPage() {
  const config = useConfig();
  return (
    <Page
      title="Configuration"
      intro="As loaded, with defaults filled in. Passwords and other secrets are not shown."
    >
      <Loaded query={config}>
        {({ yaml }) => (
          <Card
            flush
            title={
              <span className="nx-dim">{countOf(yaml.trimEnd().split('\n').length, 'line')}</span>
            }
            aside={<CopyButton label="Copy everything" text={() => yaml} />}
          >
            <YamlText yaml={yaml.trimEnd()} />
          </Card>
        )}
      </Loaded>
    </Page>
  );
}
