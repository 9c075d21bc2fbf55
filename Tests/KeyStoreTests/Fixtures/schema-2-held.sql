-- A store as version 0.1 with schema 2 left it (sqlite3 .dump), with keys of other issuers that were imported: one was then rotated
-- by the store alone, one revoked. Never to be changed. Its pepper is 32 times "p".
PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE grdb_migrations (identifier TEXT NOT NULL PRIMARY KEY);
INSERT INTO grdb_migrations VALUES('1 keys, secrets, audit, alerts, findings');
INSERT INTO grdb_migrations VALUES('2 objects and dismissals of findings');
CREATE TABLE store (
  one INTEGER PRIMARY KEY CONSTRAINT store_has_one_row CHECK (one = 1),
  created_at INTEGER NOT NULL,
  pepper_fingerprint BLOB NOT NULL CONSTRAINT fingerprint_is_a_hash CHECK (length(pepper_fingerprint) = 32),
  policy TEXT,                -- fingerprint of the policy by which next_due_at was made
  audit_count INTEGER NOT NULL DEFAULT 0,
  audit_head BLOB NOT NULL,   -- link of the last audit event
  audit_seal BLOB NOT NULL    -- HMAC of count and head: events cannot be cut off the end unseen
) STRICT;
INSERT INTO store VALUES(1,1795874538505,X'9034103bcb745f967bd6bad7e841cfcef3b6c5c0eb34906798f0bd976609c344',NULL,7,X'17bfde1f31d8574c585421d6b95700ff9efbea9341de6658b8f69fe9d1a8b746',X'90108d3222d054aa429de0d45157837b6f7cad46fd5b5cd4a4bd04df1e29d4d4');
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
INSERT INTO keys VALUES(1,'key_zisKtTy612gPikJ4','api_key','ours','ana','keyvigil','live','*',NULL,'member','active',1795874538505,1803650538505,NULL,NULL,NULL,NULL,NULL,NULL,1,NULL,'none',0,NULL,1798466538505);
INSERT INTO keys VALUES(2,'key_zxrYbUmt9OFFnwek','api_key','bank','ana','qonto','live','*',NULL,'member','active',1795874538720,NULL,NULL,1795874539072,NULL,NULL,NULL,NULL,2,NULL,'none',0,NULL,NULL);
INSERT INTO keys VALUES(3,'key_JjVrEnil1zNdwqjO','api_key','ledger','ben','blnk','live','*',NULL,'Member','active',1795874538720,NULL,NULL,NULL,NULL,NULL,NULL,NULL,1,NULL,'none',0,NULL,NULL);
INSERT INTO keys VALUES(4,'key_Vj3dBdNKIkSkCyjd','api_key','stopped','ben','qubitro','live','*',NULL,'member','revoked',1795874538720,NULL,NULL,NULL,NULL,1795874539226,NULL,NULL,1,NULL,'none',0,NULL,NULL);
INSERT INTO keys VALUES(5,'key_8rlc7LObIIlcaZnQ','api_key','legacy',NULL,'keyvigil','live','*',NULL,'member','active',1795874538720,NULL,NULL,NULL,NULL,NULL,NULL,NULL,1,NULL,'none',0,NULL,NULL);
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
INSERT INTO secrets VALUES(1,1,1,'current','kv_live_DZXGEeet_',X'c6f6760959f681c52dcd985143a725dbdf267f5ff13b112a8b7180304ddfa633',53,'secret','created',1795874538505,NULL,NULL);
INSERT INTO secrets VALUES(2,2,1,'retired','pied-piper-7132:',X'834da6cda49799a5c31e9f6fa4c95a0a1125ceb87c94086a10bea982cc3a241c',48,'secret','imported',1795874538720,NULL,1795874539072);
INSERT INTO secrets VALUES(3,3,1,'current','blnk_fdb796a5',NULL,NULL,'secret','imported',1795874538720,NULL,NULL);
INSERT INTO secrets VALUES(4,4,1,'current','QB_aB3aB3aB',X'96480b4db19fb20ca30e38c7403fad5dde082134fe587d35271fb82d4aade371',51,'secret','imported',1795874538720,NULL,NULL);
INSERT INTO secrets VALUES(5,5,1,'current','acme_12345678',NULL,NULL,'secret','imported',1795874538720,NULL,NULL);
INSERT INTO secrets VALUES(6,2,2,'current','pied-piper-7132:',X'687ce68b82d725d374b95bbfe1ad81ed0eb2f8c9ee3042ac7b7fe6a3ffd980f6',48,'secret','created',1795874539072,NULL,NULL);
CREATE TABLE rotations (
  key_row INTEGER NOT NULL REFERENCES keys (key_row),
  idempotency_key TEXT NOT NULL,
  generation INTEGER NOT NULL,
  PRIMARY KEY (key_row, idempotency_key)
) STRICT, WITHOUT ROWID;
CREATE TABLE audit_events (
  event_id INTEGER PRIMARY KEY AUTOINCREMENT,
  at INTEGER NOT NULL,
  uid INTEGER NOT NULL,
  program TEXT NOT NULL,
  action TEXT NOT NULL,
  key_id TEXT,                -- the public id
  details TEXT NOT NULL CONSTRAINT details_are_an_object CHECK (details GLOB '{*}'), -- before and after; never a secret
  link BLOB NOT NULL CONSTRAINT link_is_a_hash CHECK (length(link) = 32)
, key_row INTEGER) STRICT;
INSERT INTO audit_events VALUES(1,1795874538505,0,'keyvigil create','key.created','key_zisKtTy612gPikJ4','{"name":"ours","owner":"ana","issuer":"keyvigil","environment":"live","prefix":"kv_live_DZXGEeet_","permissions":["*"],"resources":"all","role":"member","expires_at":"2027-02-26T14:02:18.505Z","rotate_every":null}',X'fb5f8868a4eda3be4122c76c740a4565e4fa317e674247729edcb5b1a6104e0e',1);
INSERT INTO audit_events VALUES(2,1795874538720,0,'keyvigil import','key.imported','key_zxrYbUmt9OFFnwek','{"name":"bank","issuer":"qonto","prefix":"pied-piper-7132:","known":"secret"}',X'd2b2a44b26822d58e6e49d6e6ec587599c5e1ad4f88cba81e5b511b314b91f58',2);
INSERT INTO audit_events VALUES(3,1795874538720,0,'keyvigil import','key.imported','key_JjVrEnil1zNdwqjO','{"name":"ledger","issuer":"blnk","prefix":"blnk_fdb796a5","known":"prefix"}',X'07adbcc17c6e0ac24da1f4367bb2088c81dc924d35b2ef393fa149a20bbe8b6e',3);
INSERT INTO audit_events VALUES(4,1795874538720,0,'keyvigil import','key.imported','key_Vj3dBdNKIkSkCyjd','{"name":"stopped","issuer":"qubitro","prefix":"QB_aB3aB3aB","known":"secret"}',X'03238a3dc651260eb21b40c876534e3ffda4f37ce79e61cfb65b56519eb71178',4);
INSERT INTO audit_events VALUES(5,1795874538720,0,'keyvigil import','key.imported','key_8rlc7LObIIlcaZnQ','{"name":"legacy","issuer":"keyvigil","prefix":"acme_12345678","known":"prefix"}',X'e238ee59a0b1d548e2caaac360b0ba47e1ab6756510e4edca615597246a09c68',5);
INSERT INTO audit_events VALUES(6,1795874539072,0,'keyvigil rotate','key.rotated','key_zxrYbUmt9OFFnwek','{"before":"pied-piper-7132:","after":"pied-piper-7132:","old_secret_valid_until":"2026-11-28T14:02:19.072Z","overlap_cut":"the old secret has leaked"}',X'52296da9fd9c364f4937f1c4d79e00f3a89e6478ac425cf4693cdd46eeaaa6a3',2);
INSERT INTO audit_events VALUES(7,1795874539226,0,'keyvigil revoke','key.revoked','key_Vj3dBdNKIkSkCyjd','{"reason":null}',X'17bfde1f31d8574c585421d6b95700ff9efbea9341de6658b8f69fe9d1a8b746',4);
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
INSERT INTO alerts VALUES(1,'01a22276c5f34e84c196c9128adbcfce','leak.confirmed',2,'the current secret pied-piper-7132:… of key ''bank'' of ana stands in /srv/shop, a.txt:1, since commit f994a87b2f07 by Dan <dan@example.org>: in Qonto, Settings, Integrations, API key, Regenerate: the old secret is refused at once; then keyvigil rotate key_zxrYbUmt9OFFnwek --secret-stdin','{"KEYVIGIL_KEY_ID":"key_zxrYbUmt9OFFnwek","KEYVIGIL_KEY_NAME":"bank","KEYVIGIL_PREFIX":"pied-piper-7132:","KEYVIGIL_OWNER":"ana","KEYVIGIL_ISSUER":"qonto","KEYVIGIL_ENVIRONMENT":"live","KEYVIGIL_SECRET_STATE":"current","KEYVIGIL_SOURCE":"blob","KEYVIGIL_REPOSITORY":"/srv/shop","KEYVIGIL_OBJECT":"3427a6e44ed5f50452d03be110a90ee9a5d84e88","KEYVIGIL_COMMIT":"f994a87b2f07d0de0a8f098efd8341bdbe871d98","KEYVIGIL_AUTHOR":"Dan <dan@example.org>","KEYVIGIL_AUTHORED_AT":"2026-11-28T14:02:18Z","KEYVIGIL_PATH":"a.txt","KEYVIGIL_LINE":"1","KEYVIGIL_COLUMN":"1","KEYVIGIL_IN_HEAD":"yes","KEYVIGIL_OBJECTS":"1","KEYVIGIL_REMEDY":"in Qonto, Settings, Integrations, API key, Regenerate: the old secret is refused at once; then keyvigil rotate key_zxrYbUmt9OFFnwek --secret-stdin"}',1795874538995,NULL,NULL);
INSERT INTO alerts VALUES(2,'01a22276c5f3e2b21ad3a6c5acba384d','leak.confirmed',2,'the current secret QB_aB3aB3aB… of key ''stopped'' of ben stands in /srv/shop, b.txt:1, since commit f994a87b2f07 by Dan <dan@example.org>: in the Qubitro portal, Account, API keys: create a new key with the same actions, then delete the old one; then keyvigil rotate key_Vj3dBdNKIkSkCyjd --secret-stdin','{"KEYVIGIL_KEY_ID":"key_Vj3dBdNKIkSkCyjd","KEYVIGIL_KEY_NAME":"stopped","KEYVIGIL_PREFIX":"QB_aB3aB3aB","KEYVIGIL_OWNER":"ben","KEYVIGIL_ISSUER":"qubitro","KEYVIGIL_ENVIRONMENT":"live","KEYVIGIL_SECRET_STATE":"current","KEYVIGIL_SOURCE":"blob","KEYVIGIL_REPOSITORY":"/srv/shop","KEYVIGIL_OBJECT":"71b75930066aa99911865fd634ef2eaa2be24d1b","KEYVIGIL_COMMIT":"f994a87b2f07d0de0a8f098efd8341bdbe871d98","KEYVIGIL_AUTHOR":"Dan <dan@example.org>","KEYVIGIL_AUTHORED_AT":"2026-11-28T14:02:18Z","KEYVIGIL_PATH":"b.txt","KEYVIGIL_LINE":"1","KEYVIGIL_COLUMN":"1","KEYVIGIL_IN_HEAD":"yes","KEYVIGIL_OBJECTS":"1","KEYVIGIL_REMEDY":"in the Qubitro portal, Account, API keys: create a new key with the same actions, then delete the old one; then keyvigil rotate key_Vj3dBdNKIkSkCyjd --secret-stdin"}',1795874538995,NULL,NULL);
INSERT INTO alerts VALUES(3,'01a22276c640f54c7a1a90775a548eed','leak.resolved',5,'the leaked secret pied-piper-7132:… of key ''bank'' is retired now; it stood in 1 place and opens nothing now','{"KEYVIGIL_KEY_ID":"key_zxrYbUmt9OFFnwek","KEYVIGIL_KEY_NAME":"bank","KEYVIGIL_PREFIX":"pied-piper-7132:","KEYVIGIL_OWNER":"ana","KEYVIGIL_ISSUER":"qonto","KEYVIGIL_ENVIRONMENT":"live","KEYVIGIL_SECRET_STATE":"retired","KEYVIGIL_FINDINGS":"1"}',1795874539072,NULL,NULL);
INSERT INTO alerts VALUES(4,'01a22276c6da35d4db760934671f8a68','leak.resolved',5,'the leaked secret QB_aB3aB3aB… of key ''stopped'' is revoked now; it stood in 1 place and opens nothing now','{"KEYVIGIL_KEY_ID":"key_Vj3dBdNKIkSkCyjd","KEYVIGIL_KEY_NAME":"stopped","KEYVIGIL_PREFIX":"QB_aB3aB3aB","KEYVIGIL_OWNER":"ben","KEYVIGIL_ISSUER":"qubitro","KEYVIGIL_ENVIRONMENT":"live","KEYVIGIL_SECRET_STATE":"revoked","KEYVIGIL_FINDINGS":"1"}',1795874539226,NULL,NULL);
CREATE TABLE repositories (
  repository_id INTEGER PRIMARY KEY,
  path TEXT NOT NULL UNIQUE,
  scanned_at INTEGER,         -- the start of the last finished scan
  complete INTEGER NOT NULL DEFAULT 0 CONSTRAINT complete_is_boolean CHECK (complete IN (0, 1)),
  problem TEXT                -- why the last scan was not complete
, head TEXT) STRICT;
INSERT INTO repositories VALUES(1,'/srv/shop',NULL,0,NULL,NULL);
CREATE TABLE scan_units (
  kind TEXT NOT NULL,
  identity BLOB NOT NULL,
  searched_secret INTEGER NOT NULL,
  PRIMARY KEY (kind, identity)
) STRICT, WITHOUT ROWID;
INSERT INTO scan_units VALUES('loose',X'3427a6e44ed5f50452d03be110a90ee9a5d84e8800fe0000000000002cddf70000000000',5);
INSERT INTO scan_units VALUES('loose',X'3427a6e44ed5f50452d03be110a90ee9a5d84e8800fe0000000000002cddf700000000002f746d702f6f6c642f73742f73686f70',5);
INSERT INTO scan_units VALUES('loose',X'71b75930066aa99911865fd634ef2eaa2be24d1b00fe0000000000002cddf70000000000',5);
INSERT INTO scan_units VALUES('loose',X'71b75930066aa99911865fd634ef2eaa2be24d1b00fe0000000000002cddf700000000002f746d702f6f6c642f73742f73686f70',5);
INSERT INTO scan_units VALUES('loose',X'9e499ce5c382b161e331c7d18f82e20d1a6e55de',5);
INSERT INTO scan_units VALUES('loose',X'f994a87b2f07d0de0a8f098efd8341bdbe871d98',5);
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
, form TEXT NOT NULL DEFAULT 'plain', first_path TEXT, dismissed_at INTEGER, dismissed_by INTEGER, dismissed_with TEXT, dismiss_reason TEXT) STRICT;
INSERT INTO findings VALUES(1,1,2,'pied-piper-7132:',2,'path:a.txt','retired','resolved','blob','3427a6e44ed5f50452d03be110a90ee9a5d84e88','a.txt',1,1,'f994a87b2f07d0de0a8f098efd8341bdbe871d98','Dan <dan@example.org>','2026-11-28T14:02:18Z',1,1,1795874538995,1795874538995,'plain',NULL,NULL,NULL,NULL,NULL);
INSERT INTO findings VALUES(2,1,4,'QB_aB3aB3aB',4,'path:b.txt','revoked','resolved','blob','71b75930066aa99911865fd634ef2eaa2be24d1b','b.txt',1,1,'f994a87b2f07d0de0a8f098efd8341bdbe871d98','Dan <dan@example.org>','2026-11-28T14:02:18Z',1,1,1795874538995,1795874538995,'plain',NULL,NULL,NULL,NULL,NULL);
CREATE TABLE finding_objects (
  finding_id INTEGER NOT NULL REFERENCES findings (finding_id) ON DELETE CASCADE,
  object TEXT NOT NULL,
  PRIMARY KEY (finding_id, object)
) STRICT, WITHOUT ROWID;
INSERT INTO finding_objects VALUES(1,'3427a6e44ed5f50452d03be110a90ee9a5d84e88');
INSERT INTO finding_objects VALUES(2,'71b75930066aa99911865fd634ef2eaa2be24d1b');
DELETE FROM sqlite_sequence;
INSERT INTO sqlite_sequence VALUES('keys',5);
INSERT INTO sqlite_sequence VALUES('secrets',6);
INSERT INTO sqlite_sequence VALUES('audit_events',7);
INSERT INTO sqlite_sequence VALUES('findings',2);
INSERT INTO sqlite_sequence VALUES('alerts',4);
CREATE UNIQUE INDEX keys_by_name ON keys (name) WHERE status <> 'deleted';
CREATE INDEX keys_by_due ON keys (next_due_at) WHERE next_due_at IS NOT NULL;
CREATE UNIQUE INDEX secrets_by_hash ON secrets (hash) WHERE hash IS NOT NULL;
CREATE INDEX secrets_by_prefix ON secrets (prefix);
CREATE UNIQUE INDEX secrets_current ON secrets (key_row) WHERE state = 'current';
CREATE INDEX secrets_imported ON secrets (secret_id) WHERE origin = 'imported';
CREATE INDEX secrets_by_digest ON secrets (secret_id) WHERE hash_form = 'sha256';
CREATE INDEX alerts_undelivered ON alerts (alert_row) WHERE delivered_at IS NULL;
CREATE UNIQUE INDEX findings_by_place ON findings (repository_id, prefix, place, ifnull(secret_id, 0));
CREATE INDEX findings_by_key ON findings (key_row, status);
CREATE INDEX finding_objects_by_object ON finding_objects (object);
CREATE INDEX audit_by_key ON audit_events (key_row) WHERE key_row IS NOT NULL;
COMMIT;
