import { IconBell } from '@tabler/icons-react';
import { useNotifications } from '../api/notifications.ts';
import { Ago } from '../parts/ago.tsx';
import { IconButton } from '../parts/icon-button.tsx';
import { countOf } from '../parts/number-text.ts';
import { Popup } from '../parts/popup.tsx';
import classes from './shell.module.css';

export function NotificationBell() {
  const news = useNotifications();
  const label = news.length === 0 ? 'No notifications' : countOf(news.length, 'notification');
  return (
    <span className={classes.bell} data-news={news.length > 0}>
      <Popup
        label="Notifications"
        trigger={(props) => (
          <IconButton label={label} {...props}>
            <IconBell size={19} />
          </IconButton>
        )}
      >
        {() => (
          <ul className={classes.news}>
            {news.map(({ text, date }) => (
              <li key={text}>
                {text}
                <div className="nx-dim">
                  <Ago iso={date} />
                </div>
              </li>
            ))}
            {news.length === 0 && (
              <li className="nx-dim">
                Nothing to report. The server says here when a reload failed or when it is busy
                starting or stopping.
              </li>
            )}
          </ul>
        )}
      </Popup>
    </span>
  );
}
