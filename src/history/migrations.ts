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
];
