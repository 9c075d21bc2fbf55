-- A store as version 0.1 with schema 1 left it (sqlite3 .dump): a shipped schema, never to be changed. Its pepper is 32 times "p".
PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE grdb_migrations (identifier TEXT NOT NULL PRIMARY KEY);
INSERT INTO grdb_migrations VALUES('1 keys, secrets, audit, alerts, findings');
CREATE TABLE store (
  one INTEGER PRIMARY KEY CONSTRAINT store_has_one_row CHECK (one = 1),
  created_at INTEGER NOT NULL,
  pepper_fingerprint BLOB NOT NULL CONSTRAINT fingerprint_is_a_hash CHECK (length(pepper_fingerprint) = 32),
  policy TEXT,                -- fingerprint of the policy by which next_due_at was made
  audit_count INTEGER NOT NULL DEFAULT 0,
  audit_head BLOB NOT NULL,   -- link of the last audit event
  audit_seal BLOB NOT NULL    -- HMAC of count and head: events cannot be cut off the end unseen
) STRICT;
INSERT INTO store VALUES(1,1795267995507,X'9034103bcb745f967bd6bad7e841cfcef3b6c5c0eb34906798f0bd976609c344',NULL,6,X'5081f81aa29042c926c84e0e0fab81c12c896a2056ddfc8edbca079c839c96c2',X'8330aead8809f9fe7fef6ac892d5ec3e64b4430e9e591d7700180633d4ec6cbe');
CREATE TABLE keys (
  key_row INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,    -- the public id, which survives rotation
  kind TEXT NOT NULL DEFAULT 'api_key'
    CONSTRAINT kind_is_known CHECK (kind IN ('api_key', 'oauth_consent')),
  name TEXT NOT NULL CONSTRAINT name_is_bounded CHECK (length(name) BETWEEN 1 AND 200),
  owner TEXT,                 -- who answers for it
  issuer TEXT NOT NULL,
  environment TEXT NOT NULL CONSTRAINT environment_is_known CHECK (environment IN ('live', 'test', 'sandbox')),
  permissions TEXT NOT NULL,  -- with spaces between
  resources TEXT,             -- with line breaks between; null: all
  role TEXT NOT NULL,
  status TEXT NOT NULL CONSTRAINT status_is_known CHECK (status IN ('active', 'expired', 'revoked', 'deleted')),
  created_at INTEGER NOT NULL,
  expires_at INTEGER,         -- null: never
  rotate_every INTEGER CONSTRAINT period_is_positive CHECK (rotate_every > 0),
  rotated_at INTEGER,         -- when the current secret replaced another
  last_used_at INTEGER,       -- written at most every ten minutes
  revoked_at INTEGER,
  revoke_reason TEXT,
  deleted_at INTEGER,
  generation INTEGER NOT NULL DEFAULT 1,
  expiry_notice_sent INTEGER, -- the shortest notice sent for this expires_at
  rotation_notice TEXT NOT NULL DEFAULT 'none'
    CONSTRAINT notice_is_known CHECK (rotation_notice IN ('none', 'due', 'overdue')),
  unused_notice_sent INTEGER NOT NULL DEFAULT 0 CONSTRAINT unused_is_boolean CHECK (unused_notice_sent IN (0, 1)),
  reuse_told_at INTEGER,      -- when the use of a retired secret was last reported
  next_due_at INTEGER,        -- the next instant at which the lifecycle's rules have something to do
  CONSTRAINT revoked_has_date CHECK (status <> 'revoked' OR revoked_at IS NOT NULL),
  CONSTRAINT deleted_has_date CHECK ((status = 'deleted') = (deleted_at IS NOT NULL))
) STRICT;
INSERT INTO keys VALUES(1,'key_fRtiTn2XpcXQv1zH','api_key','billing','ana','keyvigil','live','invoices:read',NULL,'member','active',1795267995507,NULL,NULL,NULL,NULL,NULL,NULL,NULL,1,NULL,'none',0,NULL,NULL);
INSERT INTO keys VALUES(2,'key_ziypOR6PryvUWX60','api_key','devices','ben','keyvigil','live','*','p1','member','active',1795267995527,4070908800000,7776000000,1795267995541,NULL,NULL,NULL,NULL,2,NULL,'none',0,NULL,1803043995541);
INSERT INTO keys VALUES(3,'key_MJV2r29Grqd8ZpKt','api_key','old',NULL,'keyvigil','live','*',NULL,'member','revoked',1795267995557,1803043995557,NULL,NULL,NULL,1795267995572,'a fixture',NULL,1,NULL,'none',0,NULL,NULL);
CREATE TABLE secrets (
  secret_id INTEGER PRIMARY KEY AUTOINCREMENT, -- grows with time: the scan memory relies on it
  key_row INTEGER NOT NULL REFERENCES keys (key_row),
  generation INTEGER NOT NULL,
  state TEXT NOT NULL CONSTRAINT state_is_known CHECK (state IN ('current', 'retiring', 'retired')),
  prefix TEXT NOT NULL CONSTRAINT prefix_is_there CHECK (length(prefix) > 0),
  hash BLOB CONSTRAINT hash_is_a_hash CHECK (length(hash) = 32), -- HMAC-SHA-256 under the pepper; null: only the prefix is known
  length INTEGER CONSTRAINT length_is_positive CHECK (length > 0), -- of the whole secret, in bytes; null: not known
  hash_form TEXT NOT NULL DEFAULT 'secret' -- what the hash is of: the secret, or its SHA-256 where only that was imported
    CONSTRAINT form_is_known CHECK (hash_form IN ('secret', 'sha256')),
  origin TEXT NOT NULL CONSTRAINT origin_is_known CHECK (origin IN ('created', 'imported')),
  made_at INTEGER NOT NULL,
  retires_at INTEGER,         -- the end of the overlap
  retired_at INTEGER,
  UNIQUE (key_row, generation),
  CONSTRAINT retiring_has_end CHECK (state <> 'retiring' OR retires_at IS NOT NULL)
) STRICT;
INSERT INTO secrets VALUES(1,1,1,'current','kv_live_kjAdzV7W_',X'a28d296965313f50969a15a2abff47220f15099cebb722bf1e5b6e37e105fcf0',53,'secret','created',1795267995507,NULL,NULL);
INSERT INTO secrets VALUES(2,2,1,'retired','kv_live_J2fwmLGg_',X'c6726c26e6e145a74046eed6498c4fbb841252fab0e4bfcaac3bb3317fcd9754',53,'secret','created',1795267995527,NULL,1795267995541);
INSERT INTO secrets VALUES(3,2,2,'current','kv_live_SxhORvHL_',X'b052b91c25c8df047498d71bde853c01a05ef912095f6796fb49022825021271',53,'secret','created',1795267995541,NULL,NULL);
INSERT INTO secrets VALUES(4,3,1,'current','kv_live_Ir0SmQko_',X'ceac7c38cbecf1e0de9737ca60eeb442199f2e8f9c2217293c2735cf7ee33270',53,'secret','created',1795267995557,NULL,NULL);
CREATE TABLE rotations (
  key_row INTEGER NOT NULL REFERENCES keys (key_row),
  idempotency_key TEXT NOT NULL,
  generation INTEGER NOT NULL,
  PRIMARY KEY (key_row, idempotency_key)
) STRICT, WITHOUT ROWID;
INSERT INTO rotations VALUES(2,'again',2);
CREATE TABLE audit_events (
  event_id INTEGER PRIMARY KEY AUTOINCREMENT,
  at INTEGER NOT NULL,
  uid INTEGER NOT NULL,
  program TEXT NOT NULL,
  action TEXT NOT NULL,
  key_id TEXT,                -- the public id
  details TEXT NOT NULL CONSTRAINT details_are_an_object CHECK (details GLOB '{*}'), -- before and after; never a secret
  link BLOB NOT NULL CONSTRAINT link_is_a_hash CHECK (length(link) = 32)
) STRICT;
INSERT INTO audit_events VALUES(1,1795267995507,0,'keyvigil create','key.created','key_fRtiTn2XpcXQv1zH','{"name":"billing","owner":"ana","issuer":"keyvigil","environment":"live","prefix":"kv_live_kjAdzV7W_","permissions":["invoices:read"],"resources":"all","role":"member","expires_at":null,"rotate_every":null}',X'9eff22fc2ce53102b88cbb208c34f5ba45228715fe2350fbdc6919367c34b7db');
INSERT INTO audit_events VALUES(2,1795267995527,0,'keyvigil create','key.created','key_ziypOR6PryvUWX60','{"name":"devices","owner":"ben","issuer":"keyvigil","environment":"live","prefix":"kv_live_J2fwmLGg_","permissions":["*"],"resources":"p1","role":"member","expires_at":"2099-01-01T00:00:00Z","rotate_every":"90d"}',X'8f1b5c368fe31f8d3704111b2b9e8c73c052374c9e72cb204d81ac770afd1ce8');
INSERT INTO audit_events VALUES(3,1795267995541,0,'keyvigil rotate','key.rotated','key_ziypOR6PryvUWX60','{"before":"kv_live_J2fwmLGg_","after":"kv_live_SxhORvHL_","old_secret_valid_until":"2026-11-21T13:33:15.541Z"}',X'c60baf153b73a9af3350494401e046aab2072ae38c2a16a883c5b2c925fb2311');
INSERT INTO audit_events VALUES(4,1795267995557,0,'keyvigil create','key.created','key_MJV2r29Grqd8ZpKt','{"name":"old","owner":null,"issuer":"keyvigil","environment":"live","prefix":"kv_live_Ir0SmQko_","permissions":["*"],"resources":"all","role":"member","expires_at":"2027-02-19T13:33:15.557Z","rotate_every":null}',X'3f09ba8525d24097248942f8d1a07fa9e55222587c35dcb7bd4497eeda81fc7c');
INSERT INTO audit_events VALUES(5,1795267995572,0,'keyvigil revoke','key.revoked','key_MJV2r29Grqd8ZpKt','{"reason":"a fixture"}',X'521dd7bca968d6a622596719e759e04a6efa369403fec9c18349d27d31bee1d2');
INSERT INTO audit_events VALUES(6,1795267995847,0,'keyvigil findings dismiss','finding.dismissed','key_fRtiTn2XpcXQv1zH','{"finding":2,"reason":"a fixture"}',X'5081f81aa29042c926c84e0e0fab81c12c896a2056ddfc8edbca079c839c96c2');
CREATE TABLE alerts (
  alert_row INTEGER PRIMARY KEY AUTOINCREMENT, -- the order of delivery
  alert_id TEXT NOT NULL UNIQUE,
  kind TEXT NOT NULL,
  priority INTEGER NOT NULL CONSTRAINT priority_is_syslog CHECK (priority BETWEEN 0 AND 7),
  message TEXT NOT NULL,
  fields TEXT NOT NULL CONSTRAINT fields_are_an_object CHECK (fields GLOB '{*}'),
  created_at INTEGER NOT NULL,
  attempted_at INTEGER,       -- sent, but not yet seen in the journal
  delivered_at INTEGER
) STRICT;
INSERT INTO alerts VALUES(1,'9533021d9cdf553153ccdbfd940c11ad','leak.confirmed',5,'the retired secret kv_live_J2fwmLGg_… of key ''devices'' of ben stands in /srv/git/shop, c.py:1, since commit 82261fc17c6e by Dan <dan@example.org>; it opens nothing now','{"KEYVIGIL_KEY_ID":"key_ziypOR6PryvUWX60","KEYVIGIL_KEY_NAME":"devices","KEYVIGIL_PREFIX":"kv_live_J2fwmLGg_","KEYVIGIL_OWNER":"ben","KEYVIGIL_ISSUER":"keyvigil","KEYVIGIL_ENVIRONMENT":"live","KEYVIGIL_EXPIRES_AT":"2099-01-01T00:00:00Z","KEYVIGIL_SECRET_STATE":"retired","KEYVIGIL_SOURCE":"blob","KEYVIGIL_REPOSITORY":"/srv/git/shop","KEYVIGIL_OBJECT":"45481e87ea88b75555732c62cadb217f05eadac9","KEYVIGIL_COMMIT":"82261fc17c6eb1b0d2d7e0e0cf36cd23e7cfe833","KEYVIGIL_AUTHOR":"Dan <dan@example.org>","KEYVIGIL_AUTHORED_AT":"2026-11-21T13:33:15Z","KEYVIGIL_PATH":"c.py","KEYVIGIL_LINE":"1","KEYVIGIL_COLUMN":"1","KEYVIGIL_IN_HEAD":"yes","KEYVIGIL_OBJECTS":"1","KEYVIGIL_REMEDY":"the secret is retired and opens nothing; remove it when convenient"}',1795267995830,NULL,NULL);
INSERT INTO alerts VALUES(2,'73c6fec22825aa6e2f5cc9a874bfccef','leak.confirmed',2,'the current secret kv_live_kjAdzV7W_… of key ''billing'' of ana stands in /srv/git/shop, a.py:1, since commit 82261fc17c6e by Dan <dan@example.org>: keyvigil rotate key_fRtiTn2XpcXQv1zH','{"KEYVIGIL_KEY_ID":"key_fRtiTn2XpcXQv1zH","KEYVIGIL_KEY_NAME":"billing","KEYVIGIL_PREFIX":"kv_live_kjAdzV7W_","KEYVIGIL_OWNER":"ana","KEYVIGIL_ISSUER":"keyvigil","KEYVIGIL_ENVIRONMENT":"live","KEYVIGIL_SECRET_STATE":"current","KEYVIGIL_SOURCE":"blob","KEYVIGIL_REPOSITORY":"/srv/git/shop","KEYVIGIL_OBJECT":"8f28ed9a6d0581803c78ca95dc00cc0e0cd7fddc","KEYVIGIL_COMMIT":"82261fc17c6eb1b0d2d7e0e0cf36cd23e7cfe833","KEYVIGIL_AUTHOR":"Dan <dan@example.org>","KEYVIGIL_AUTHORED_AT":"2026-11-21T13:33:15Z","KEYVIGIL_PATH":"a.py","KEYVIGIL_LINE":"1","KEYVIGIL_COLUMN":"4","KEYVIGIL_IN_HEAD":"yes","KEYVIGIL_OBJECTS":"1","KEYVIGIL_REMEDY":"keyvigil rotate key_fRtiTn2XpcXQv1zH"}',1795267995830,NULL,NULL);
INSERT INTO alerts VALUES(3,'6a998852e5bb9a8bee949829e1982389','leak.confirmed',2,'the current secret kv_live_kjAdzV7W_… of key ''billing'' of ana stands in /srv/git/shop, b.py:1, since commit 82261fc17c6e by Dan <dan@example.org>: keyvigil rotate key_fRtiTn2XpcXQv1zH','{"KEYVIGIL_KEY_ID":"key_fRtiTn2XpcXQv1zH","KEYVIGIL_KEY_NAME":"billing","KEYVIGIL_PREFIX":"kv_live_kjAdzV7W_","KEYVIGIL_OWNER":"ana","KEYVIGIL_ISSUER":"keyvigil","KEYVIGIL_ENVIRONMENT":"live","KEYVIGIL_SECRET_STATE":"current","KEYVIGIL_SOURCE":"blob","KEYVIGIL_REPOSITORY":"/srv/git/shop","KEYVIGIL_OBJECT":"aa88fa5451c73e26a09bf0cc9d1a09719e7afdb1","KEYVIGIL_COMMIT":"82261fc17c6eb1b0d2d7e0e0cf36cd23e7cfe833","KEYVIGIL_AUTHOR":"Dan <dan@example.org>","KEYVIGIL_AUTHORED_AT":"2026-11-21T13:33:15Z","KEYVIGIL_PATH":"b.py","KEYVIGIL_LINE":"1","KEYVIGIL_COLUMN":"4","KEYVIGIL_IN_HEAD":"yes","KEYVIGIL_OBJECTS":"1","KEYVIGIL_REMEDY":"keyvigil rotate key_fRtiTn2XpcXQv1zH"}',1795267995830,NULL,NULL);
CREATE TABLE repositories (
  repository_id INTEGER PRIMARY KEY,
  path TEXT NOT NULL UNIQUE,
  scanned_at INTEGER,         -- the start of the last finished scan
  complete INTEGER NOT NULL DEFAULT 0 CONSTRAINT complete_is_boolean CHECK (complete IN (0, 1)),
  problem TEXT                -- why the last scan was not complete
) STRICT;
INSERT INTO repositories VALUES(1,'/srv/git/shop',NULL,0,NULL);
CREATE TABLE scan_units (
  kind TEXT NOT NULL,
  identity BLOB NOT NULL,
  searched_secret INTEGER NOT NULL,
  PRIMARY KEY (kind, identity)
) STRICT, WITHOUT ROWID;
INSERT INTO scan_units VALUES('loose',X'45481e87ea88b75555732c62cadb217f05eadac9',4);
INSERT INTO scan_units VALUES('loose',X'82261fc17c6eb1b0d2d7e0e0cf36cd23e7cfe833',4);
INSERT INTO scan_units VALUES('loose',X'8f28ed9a6d0581803c78ca95dc00cc0e0cd7fddc',4);
INSERT INTO scan_units VALUES('loose',X'aa88fa5451c73e26a09bf0cc9d1a09719e7afdb1',4);
INSERT INTO scan_units VALUES('loose',X'f3328da8aecdef510bf1c4fbafac9cce52757338',4);
CREATE TABLE findings (
  finding_id INTEGER PRIMARY KEY AUTOINCREMENT,
  repository_id INTEGER NOT NULL REFERENCES repositories (repository_id),
  key_row INTEGER NOT NULL REFERENCES keys (key_row),
  prefix TEXT NOT NULL,
  secret_id INTEGER REFERENCES secrets (secret_id), -- null: a mention, only the prefix is there
  place TEXT NOT NULL,        -- what makes two sightings the same: a path, else the object
  secret_state TEXT NOT NULL
    CONSTRAINT grade_is_known CHECK (secret_state IN ('current', 'retiring', 'retired', 'expired', 'revoked', 'deleted')),
  status TEXT NOT NULL CONSTRAINT finding_is_known CHECK (status IN ('open', 'resolved', 'dismissed')),
  source TEXT NOT NULL,
  object TEXT,
  path TEXT,
  line INTEGER,
  column_number INTEGER,
  commit_id TEXT,             -- the first that holds it
  author TEXT,
  authored_at TEXT,           -- RFC 3339, in the author's offset
  in_head INTEGER NOT NULL CONSTRAINT head_is_boolean CHECK (in_head IN (0, 1)),
  objects INTEGER NOT NULL,
  first_seen_at INTEGER NOT NULL,
  last_seen_at INTEGER NOT NULL
) STRICT;
INSERT INTO findings VALUES(1,1,2,'kv_live_J2fwmLGg_',2,'path:c.py','retired','resolved','blob','45481e87ea88b75555732c62cadb217f05eadac9','c.py',1,1,'82261fc17c6eb1b0d2d7e0e0cf36cd23e7cfe833','Dan <dan@example.org>','2026-11-21T13:33:15Z',1,1,1795267995830,1795267995832);
INSERT INTO findings VALUES(2,1,1,'kv_live_kjAdzV7W_',1,'path:a.py','current','dismissed','blob','8f28ed9a6d0581803c78ca95dc00cc0e0cd7fddc','a.py',1,4,'82261fc17c6eb1b0d2d7e0e0cf36cd23e7cfe833','Dan <dan@example.org>','2026-11-21T13:33:15Z',1,1,1795267995830,1795267995832);
INSERT INTO findings VALUES(3,1,1,'kv_live_kjAdzV7W_',1,'path:b.py','current','open','blob','aa88fa5451c73e26a09bf0cc9d1a09719e7afdb1','b.py',1,4,'82261fc17c6eb1b0d2d7e0e0cf36cd23e7cfe833','Dan <dan@example.org>','2026-11-21T13:33:15Z',1,1,1795267995830,1795267995832);
DELETE FROM sqlite_sequence;
INSERT INTO sqlite_sequence VALUES('keys',3);
INSERT INTO sqlite_sequence VALUES('secrets',4);
INSERT INTO sqlite_sequence VALUES('audit_events',6);
INSERT INTO sqlite_sequence VALUES('findings',3);
INSERT INTO sqlite_sequence VALUES('alerts',3);
CREATE UNIQUE INDEX keys_by_name ON keys (name) WHERE status <> 'deleted';
CREATE INDEX keys_by_due ON keys (next_due_at) WHERE next_due_at IS NOT NULL;
CREATE UNIQUE INDEX secrets_by_hash ON secrets (hash) WHERE hash IS NOT NULL;
CREATE INDEX secrets_by_prefix ON secrets (prefix);
CREATE UNIQUE INDEX secrets_current ON secrets (key_row) WHERE state = 'current';
CREATE INDEX secrets_imported ON secrets (secret_id) WHERE origin = 'imported';
CREATE INDEX secrets_by_digest ON secrets (secret_id) WHERE hash_form = 'sha256';
CREATE INDEX audit_by_key ON audit_events (key_id) WHERE key_id IS NOT NULL;
CREATE INDEX alerts_undelivered ON alerts (alert_row) WHERE delivered_at IS NULL;
CREATE UNIQUE INDEX findings_by_place ON findings (repository_id, prefix, place, ifnull(secret_id, 0));
CREATE INDEX findings_by_key ON findings (key_row, status);
COMMIT;
