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
];
