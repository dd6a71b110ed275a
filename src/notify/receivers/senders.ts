/** How a message travels: to a webhook, to Slack and what understands its messages, by mail. */
import { readFileSync } from 'node:fs';
import { NarthexError } from '../../../model/index.ts';
import type { HttpClient } from '../../../scrape/index.ts';
import type { Send } from './delivery-queue.ts';
import { linesOf, type Message, statusOf, titleOf, webhookBody } from './message.ts';
import type { EmailConfig, SlackConfig, WebhookConfig } from './receiver-config.ts';

class DeliveryError extends NarthexError {
  readonly code = 'DELIVERY';
}

const BODY_TEXT_LENGTH_MAX = 200;
const COLORS = { firing: '#d63939', resolved: '#2f9e44' } as const;

type Client = Pick<HttpClient, 'request'>;

export function webhookSender(config: WebhookConfig, client: Client): Send {
  return (message, signal) =>
    post(client, config, webhookBody(message, config.alertCountMax), signal);
}

/** Source: Slack documentation, incoming webhooks and attachments. */
export function slackSender(config: SlackConfig, client: Client): Send {
  const { channel, username, iconEmoji } = config;
  return (message, signal) => {
    const title = titleOf(message);
    const body = {
      ...(channel === '' ? {} : { channel }),
      ...(username === '' ? {} : { username }),
      ...(iconEmoji === '' ? {} : { icon_emoji: iconEmoji }),
      attachments: [
        {
          fallback: title,
          title: slackText(title),
          title_link: `${message.externalUrl}/alerts`,
          color: COLORS[statusOf(message)],
          text: slackText(textOf(message)),
        },
      ],
    };
    return post(client, config, JSON.stringify(body), signal);
  };
}

/** The three characters that mean something there. */
function slackText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

async function post(
  client: Client,
  { url, urlFile, timeoutMs }: WebhookConfig | SlackConfig,
  body: string,
  signal: AbortSignal,
): Promise<void> {
  const response = await client.request({
    url: url === '' ? readFileSync(urlFile, 'utf8').trim() : url,
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body,
    timeoutMs,
    signal,
  });
  const text = new TextDecoder().decode(response.body.slice(0, BODY_TEXT_LENGTH_MAX)).trim();
  response.release?.();
  if (response.status >= 200 && response.status <= 299) return;
  const more = text === '' ? '' : `: ${text}`;
  throw new DeliveryError(`status ${response.status} ${response.statusText}${more}`);
}

/** Alert by alert, plain. */
function textOf(message: Message): string {
  return message.alerts
    .map((alert) => {
      const name = alert.labels['alertname'] ?? '';
      const status = alert.isResolved ? 'RESOLVED' : 'FIRING';
      const since = new Date(alert.startsAtMs).toISOString();
      return [
        `${status} ${name} since ${since}`,
        ...linesOf(alert).map((line) => `  ${line}`),
      ].join('\n');
    })
    .join('\n\n');
}

export function emailSender(config: EmailConfig): Send {
  return async (message, signal) => {
    const { createTransport } = await import('nodemailer');
    const { tls, username, passwordFile, timeoutMs, requiresTls, port } = config;
    const pass = passwordFile === '' ? config.password : readFileSync(passwordFile, 'utf8').trim();
    const transport = createTransport({
      host: config.host,
      port,
      name: config.hello,
      // 465 speaks TLS from the first byte, as everywhere.
      secure: port === 465,
      requireTLS: requiresTls,
      tls: {
        rejectUnauthorized: !tls.isLax,
        ...(tls.serverName === '' ? {} : { servername: tls.serverName }),
        ...(tls.caFile === '' ? {} : { ca: readFileSync(tls.caFile) }),
      },
      ...(username === '' ? {} : { auth: { user: username, pass } }),
      connectionTimeout: timeoutMs,
      greetingTimeout: timeoutMs,
      socketTimeout: timeoutMs,
      // A template must not make the server read files or addresses.
      disableFileAccess: true,
      disableUrlAccess: true,
    });
    const close = () => transport.close();
    signal.addEventListener('abort', close, { once: true });
    try {
      await transport.sendMail({
        from: config.from,
        to: config.to,
        // A header has one line.
        subject: titleOf(message).replaceAll(/\s+/g, ' '),
        text: `${textOf(message)}\n\n${message.externalUrl}/alerts\n`,
      });
    } finally {
      signal.removeEventListener('abort', close);
      close();
    }
  };
}
