/**
 * The shape of narthex.db, step by step. Steps are never changed, only added: `user_version` in the
 * file tells how many it has seen.
 */
export const MIGRATIONS: readonly string[] = [
  // 1: query log.
  `CREATE TABLE query_text (
     id   INTEGER PRIMARY KEY,
     text TEXT NOT NULL UNIQUE
   ) STRICT;
   CREATE TABLE query_log (
     at_ms       INTEGER NOT NULL,
     text_id     INTEGER NOT NULL REFERENCES query_text (id),
     kind        TEXT    NOT NULL CHECK (kind IN ('instant', 'range')),
     duration_ms REAL    NOT NULL,
     samples     INTEGER NOT NULL,
     series      INTEGER NOT NULL,
     error       TEXT
   ) STRICT;
   CREATE INDEX query_log_at ON query_log (at_ms);`,
  // 2: what became of alerts. Values are text, because NaN and the infinities have none in JSON.
  `CREATE TABLE alert_event (
     id           INTEGER PRIMARY KEY,
     at_ms        INTEGER NOT NULL,
     rule         TEXT    NOT NULL,
     group_name   TEXT    NOT NULL,
     file         TEXT    NOT NULL,
     query_id     INTEGER NOT NULL REFERENCES query_text (id),
     fingerprint  TEXT    NOT NULL,
     from_state   TEXT    NOT NULL,
     to_state     TEXT    NOT NULL,
     active_at_ms INTEGER NOT NULL,
     value        TEXT    NOT NULL,
     labels       TEXT    NOT NULL,
     annotations  TEXT    NOT NULL
   ) STRICT;
   CREATE INDEX alert_event_fingerprint ON alert_event (fingerprint, id);
   CREATE INDEX alert_event_rule ON alert_event (rule, id);
   CREATE TABLE alert_delivery (
     id          INTEGER PRIMARY KEY,
     at_ms       INTEGER NOT NULL,
     url         TEXT    NOT NULL,
     error       TEXT,
     event_id    INTEGER NOT NULL
   ) STRICT;
   CREATE INDEX alert_delivery_event ON alert_delivery (event_id);`,
  // 3: what the selectors of an alert gave when it changed (JSON; null: not known), and histories
  // of a time rather than of an alert.
  `ALTER TABLE alert_event ADD COLUMN samples TEXT;
   CREATE INDEX alert_event_at ON alert_event (at_ms);`,
  // 4: receivers without Alertmanager: what they were told, and what is on its way to them.
  `CREATE TABLE notify_group (
     receiver TEXT NOT NULL,
     key      TEXT NOT NULL,
     state    TEXT NOT NULL,
     PRIMARY KEY (receiver, key)
   ) STRICT;
   CREATE TABLE notify_queue (
     id          INTEGER PRIMARY KEY AUTOINCREMENT,
     integration TEXT    NOT NULL,
     group_key   TEXT    NOT NULL,
     created_ms  INTEGER NOT NULL,
     attempts    INTEGER NOT NULL,
     next_ms     INTEGER NOT NULL,
     error       TEXT,
     message     TEXT    NOT NULL
   ) STRICT;
   CREATE INDEX notify_queue_integration ON notify_queue (integration, next_ms, id);`,
  // 5: when the server watched alerts: what was firing when it stopped is not known to go on.
  `CREATE TABLE alert_watch (
     id         INTEGER PRIMARY KEY,
     started_ms INTEGER NOT NULL,
     seen_ms    INTEGER NOT NULL
   ) STRICT;`,
  // 6: a text that is forgotten is looked for in what refers to it; without these, by reading all of it.
  `CREATE INDEX query_log_text ON query_log (text_id);
   CREATE INDEX alert_event_query ON alert_event (query_id);`,
];
