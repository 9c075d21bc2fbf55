internal import PostgreSQL

/// The first schema. The tables that replicas have, too, have the columns of the store's schema, with the same meaning: instants are
/// milliseconds since 1970 in UTC, periods milliseconds. Members write all columns of a row: there are no defaults.
///
/// A change that a member sends has its rows in the order of the tables, so references are checked at its end; and it has the rows
/// that go with another, which nothing here removes by itself.
///
/// PostgreSQL is asked for single rows, by their keys; what looks for many is asked of a replica, which has the indexes for that.
enum FleetSchemaV1 {
    static let migration = FleetMigration(
        version: 1, compatibleFrom: 1, title: "keys, audit, findings, feeds of changes, hosts, alerts",
        statements: schema + fleet + keys + audit + leaks + unregistered + feeds + alerts + rules)

    private static let schema: [Statement] = [
        "CREATE SCHEMA keyvigil",
        """
        -- Ends the transaction unless the condition is true: a change that was made to other rows than are there now.
        CREATE FUNCTION keyvigil.must(condition boolean) RETURNS void LANGUAGE plpgsql
          SET search_path = pg_catalog, pg_temp AS $$
        BEGIN
          IF condition IS NOT TRUE THEN
            RAISE EXCEPTION 'another host has changed it' USING ERRCODE = 'KV409';
          END IF;
        END $$
        """,
        """
        -- What indexes have of paths: these are as long as a file system allows, and an entry of a b-tree has at most 2,704 bytes. The
        -- database is in UTF-8, so that the conversion changes nothing.
        CREATE FUNCTION keyvigil.digest(content text) RETURNS bytea LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
          AS $$ SELECT pg_catalog.sha256(pg_catalog.convert_to(content, 'UTF8')) $$
        """,
    ]

    private static let fleet: [Statement] = [
        """
        -- One row: what is true of the fleet as a whole.
        CREATE TABLE keyvigil.fleet (
          one bigint PRIMARY KEY DEFAULT 1 CONSTRAINT fleet_has_one_row CHECK (one = 1),
          version bigint NOT NULL,           -- of this schema
          compatible_from bigint NOT NULL,   -- the oldest version whose programs work with it
          fleet_id bytea NOT NULL CONSTRAINT fleet_id_is_random CHECK (octet_length(fleet_id) = 16),
          created_at timestamptz NOT NULL DEFAULT now(),
          -- Null until the first host has joined.
          pepper_fingerprint bytea CONSTRAINT fingerprint_is_a_hash CHECK (octet_length(pepper_fingerprint) = 32),
          policy text,                       -- fingerprint of the policy by which next_due_at was made
          policy_text text
        )
        """,
        """
        INSERT INTO keyvigil.fleet (version, compatible_from, fleet_id)
          VALUES (0, 0, uuid_send(gen_random_uuid()))
        """,
        """
        -- With another pepper no secret would be recognised.
        CREATE FUNCTION keyvigil.keep_pepper() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
        BEGIN
          IF OLD.pepper_fingerprint IS NOT NULL AND NEW.pepper_fingerprint IS DISTINCT FROM OLD.pepper_fingerprint THEN
            RAISE EXCEPTION 'the fleet has another pepper' USING ERRCODE = 'KV403';
          END IF;
          RETURN NEW;
        END $$
        """,
        """
        CREATE TRIGGER fleet_keeps_pepper BEFORE UPDATE ON keyvigil.fleet
          FOR EACH ROW EXECUTE FUNCTION keyvigil.keep_pepper()
        """,
        """
        -- The members. A number is never given again: it is in the ids of the host's audit events.
        CREATE TABLE keyvigil.hosts (
          host bigint GENERATED ALWAYS AS IDENTITY (MINVALUE 1 MAXVALUE 8388607) PRIMARY KEY
            CONSTRAINT host_fits_event_ids CHECK (host BETWEEN 1 AND 8388607),
          name text COLLATE "C" NOT NULL
            CONSTRAINT host_name_is_plain CHECK (name ~ '^[A-Za-z0-9][A-Za-z0-9.-]{0,252}$'),
          login name NOT NULL DEFAULT session_user,  -- the role that the host signs in as
          machine bytea NOT NULL CONSTRAINT machine_is_an_id CHECK (octet_length(machine) = 16),
          -- The boot of the machine, by which a copy of it shows; zeros after an end in order.
          nonce bytea NOT NULL CONSTRAINT nonce_is_a_boot CHECK (octet_length(nonce) = 16),
          version text NOT NULL,             -- of the program
          schema bigint NOT NULL,            -- of its replica
          joined_at timestamptz NOT NULL DEFAULT now(),
          removed_at timestamptz,            -- null: it is a member
          seen_at timestamptz,               -- when it last committed a heartbeat, by the clock of the database
          fresh_until timestamptz,           -- from then on it refuses to verify, unless it was seen again
          positions text,                    -- which entry of each feed its replica has come to: {"HOST": SEQ}
          undelivered bigint,                -- alerts that wait for its journal
          last_scan_at bigint
        )
        """,
        "CREATE UNIQUE INDEX hosts_by_name ON keyvigil.hosts (name) WHERE removed_at IS NULL",
        "CREATE UNIQUE INDEX hosts_by_login ON keyvigil.hosts (login) WHERE removed_at IS NULL",
        """
        -- The number of the host whose login has opened the session; null: it is none's.
        CREATE FUNCTION keyvigil.own_host() RETURNS bigint LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
          SELECT host FROM keyvigil.hosts WHERE login = session_user AND removed_at IS NULL
        $$
        """,
    ]

    private static let keys: [Statement] = [
        """
        CREATE TABLE keyvigil.keys (
          key_row bigint PRIMARY KEY,
          id text COLLATE "C" NOT NULL CONSTRAINT keys_by_id UNIQUE,
          kind text NOT NULL CONSTRAINT kind_is_known CHECK (kind IN ('api_key', 'oauth_consent')),
          name text COLLATE "C" NOT NULL CONSTRAINT name_is_bounded CHECK (length(name) BETWEEN 1 AND 200),
          owner text,
          issuer text NOT NULL,
          environment text NOT NULL CONSTRAINT environment_is_known CHECK (environment IN ('live', 'test', 'sandbox')),
          permissions text NOT NULL,
          resources text,
          role text NOT NULL,
          status text NOT NULL CONSTRAINT status_is_known CHECK (status IN ('active', 'expired', 'revoked', 'deleted')),
          created_at bigint NOT NULL,
          expires_at bigint,
          rotate_every bigint CONSTRAINT period_is_positive CHECK (rotate_every > 0),
          rotated_at bigint,
          last_used_at bigint,
          revoked_at bigint,
          revoke_reason text,
          deleted_at bigint,
          generation bigint NOT NULL,
          expiry_notice_sent bigint,
          rotation_notice text NOT NULL CONSTRAINT notice_is_known CHECK (rotation_notice IN ('none', 'due', 'overdue')),
          unused_notice_sent bigint NOT NULL CONSTRAINT unused_is_boolean CHECK (unused_notice_sent IN (0, 1)),
          reuse_told_at bigint,
          next_due_at bigint,
          origin text NOT NULL CONSTRAINT origin_of_key_is_known CHECK (origin IN ('issued', 'held')),
          notes text,
          client text,
          stated_by text,
          stated_at bigint,
          expiry_notice_for bigint,
          rotation_notice_for bigint,
          unused_notice_for bigint,
          on_hold_at bigint,
          on_hold_reason text
            CONSTRAINT hold_is_known CHECK (on_hold_reason IN ('revoked', 'deleted', 'rotated', 'leaked')),
          seal bytea CONSTRAINT seal_is_a_hash CHECK (octet_length(seal) = 32),
          retirement_notice_sent bigint,
          retirement_notice_for bigint,
          version bigint,
          CONSTRAINT revoked_has_date CHECK (status <> 'revoked' OR revoked_at IS NOT NULL),
          CONSTRAINT deleted_has_date CHECK ((status = 'deleted') = (deleted_at IS NOT NULL))
        )
        """,
        "CREATE UNIQUE INDEX keys_by_name ON keyvigil.keys (name) WHERE status <> 'deleted'",
        """
        CREATE TABLE keyvigil.secrets (
          secret_id bigint PRIMARY KEY,      -- in the order of commits: scan memories rely on it
          key_row bigint NOT NULL REFERENCES keyvigil.keys DEFERRABLE INITIALLY DEFERRED,
          generation bigint NOT NULL,
          state text NOT NULL CONSTRAINT state_is_known CHECK (state IN ('current', 'retiring', 'retired')),
          prefix text NOT NULL CONSTRAINT prefix_is_there CHECK (length(prefix) > 0),
          hash bytea CONSTRAINT hash_is_a_hash CHECK (octet_length(hash) = 32),
          length bigint CONSTRAINT length_is_positive CHECK (length > 0),
          hash_form text NOT NULL CONSTRAINT form_is_known CHECK (hash_form IN ('secret', 'sha256')),
          origin text NOT NULL CONSTRAINT origin_is_known CHECK (origin IN ('created', 'imported')),
          made_at bigint NOT NULL,
          retires_at bigint,
          retired_at bigint,
          check_decision text CONSTRAINT decision_is_known CHECK (check_decision IN ('accepted', 'refused')),
          check_decided_at bigint,
          check_problem text,
          check_problem_at bigint,
          digest_hash bytea CONSTRAINT digest_hash_is_a_hash CHECK (octet_length(digest_hash) = 32),
          seal bytea CONSTRAINT seal_is_a_hash CHECK (octet_length(seal) = 32),
          CONSTRAINT secrets_by_generation UNIQUE (key_row, generation),
          CONSTRAINT retiring_has_end CHECK (state <> 'retiring' OR retires_at IS NOT NULL)
        )
        """,
        "CREATE UNIQUE INDEX secrets_by_hash ON keyvigil.secrets (hash) WHERE hash IS NOT NULL",
        "CREATE UNIQUE INDEX secrets_current ON keyvigil.secrets (key_row) WHERE state = 'current'",
        """
        CREATE TABLE keyvigil.rotations (
          key_row bigint NOT NULL REFERENCES keyvigil.keys DEFERRABLE INITIALLY DEFERRED,
          idempotency_key text COLLATE "C" NOT NULL,
          generation bigint NOT NULL,
          PRIMARY KEY (key_row, idempotency_key)
        )
        """,
    ]

    private static let audit: [Statement] = [
        """
        -- One chain for each host.
        CREATE TABLE keyvigil.audit_events (
          event_id bigint PRIMARY KEY,       -- the number of the host, times 2^40, and that of the event in its chain
          at bigint NOT NULL,
          uid bigint NOT NULL,
          program text NOT NULL,
          action text NOT NULL,
          key_id text,
          details text NOT NULL CONSTRAINT details_are_an_object CHECK (details LIKE '{%}'),
          link bytea NOT NULL CONSTRAINT link_is_a_hash CHECK (octet_length(link) = 32),
          key_row bigint,
          clock bigint
        )
        """,
        """
        CREATE TABLE keyvigil.audit_chains (
          host bigint PRIMARY KEY,           -- 0: the store before it was a fleet's
          name text NOT NULL,
          audit_count bigint NOT NULL,
          audit_head bytea NOT NULL,
          audit_seal bytea NOT NULL,
          clock bigint NOT NULL
        )
        """,
    ]

    private static let leaks: [Statement] = [
        """
        CREATE TABLE keyvigil.repositories (
          repository_id bigint PRIMARY KEY,
          path text COLLATE "C" NOT NULL,    -- HOST:/path
          scanned_at bigint,
          complete bigint NOT NULL CONSTRAINT complete_is_boolean CHECK (complete IN (0, 1)),
          problem text,
          head text,
          watched bigint NOT NULL CONSTRAINT watched_is_boolean CHECK (watched IN (0, 1)),
          unwatched_at bigint,
          searched_at bigint,
          searched_secret bigint,
          searched_head text,
          repeats bigint
        )
        """,
        "CREATE UNIQUE INDEX repositories_by_path ON keyvigil.repositories (keyvigil.digest(path))",
        """
        CREATE TABLE keyvigil.findings (
          finding_id bigint PRIMARY KEY,
          repository_id bigint NOT NULL REFERENCES keyvigil.repositories DEFERRABLE INITIALLY DEFERRED,
          key_row bigint NOT NULL REFERENCES keyvigil.keys DEFERRABLE INITIALLY DEFERRED,
          prefix text COLLATE "C" NOT NULL,
          secret_id bigint REFERENCES keyvigil.secrets DEFERRABLE INITIALLY DEFERRED,
          place text COLLATE "C" NOT NULL,
          secret_state text NOT NULL
            CONSTRAINT grade_is_known
              CHECK (secret_state IN ('current', 'retiring', 'retired', 'expired', 'revoked', 'deleted')),
          status text NOT NULL CONSTRAINT finding_is_known CHECK (status IN ('open', 'resolved', 'dismissed')),
          source text NOT NULL,
          object text,
          path text,
          line bigint,
          column_number bigint,
          commit_id text,
          author text,
          authored_at text,
          in_head bigint NOT NULL CONSTRAINT head_is_boolean CHECK (in_head IN (0, 1)),
          objects bigint NOT NULL,
          first_seen_at bigint NOT NULL,
          last_seen_at bigint NOT NULL,
          form text NOT NULL,
          first_path text,
          dismissed_at bigint,
          dismissed_by bigint,
          dismissed_with text,
          dismiss_reason text,
          candidate bytea CONSTRAINT candidate_is_a_hash CHECK (octet_length(candidate) = 32),
          repository text,
          first_commit text,
          first_author text,
          first_authored_at text,
          expected_id bigint
        )
        """,
        """
        CREATE UNIQUE INDEX findings_by_place ON keyvigil.findings (repository_id, keyvigil.digest(prefix),
          keyvigil.digest(place), coalesce(secret_id, 0), coalesce(candidate, ''))
        """,
        """
        CREATE TABLE keyvigil.finding_objects (
          finding_id bigint NOT NULL REFERENCES keyvigil.findings DEFERRABLE INITIALLY DEFERRED,
          object text COLLATE "C" NOT NULL,
          repository_id bigint,
          subject bytea,                     -- 'i' and a number of 8 bytes, the first one first; 't' and a text; 'b' and bytes
          in_head bigint,
          PRIMARY KEY (finding_id, object)
        )
        """,
        """
        CREATE TABLE keyvigil.unlisted_findings (
          repository_id bigint NOT NULL REFERENCES keyvigil.repositories DEFERRABLE INITIALLY DEFERRED,
          key_row bigint NOT NULL REFERENCES keyvigil.keys DEFERRABLE INITIALLY DEFERRED,
          grade text COLLATE "C" NOT NULL
            CONSTRAINT unlisted_grade_is_known CHECK (grade IN ('confirmed', 'probable', 'mention')),
          secret_id bigint NOT NULL,
          prefix text NOT NULL,
          places bigint NOT NULL,
          reported_at bigint,
          PRIMARY KEY (repository_id, key_row, grade, secret_id)
        )
        """,
        """
        CREATE TABLE keyvigil.refused_candidates (
          hash bytea PRIMARY KEY CONSTRAINT refused_is_a_hash CHECK (octet_length(hash) = 32),
          key_row bigint NOT NULL REFERENCES keyvigil.keys DEFERRABLE INITIALLY DEFERRED,
          refused_at bigint NOT NULL
        )
        """,
        """
        CREATE TABLE keyvigil.incidents (
          incident_id bigint PRIMARY KEY,
          key_row bigint NOT NULL REFERENCES keyvigil.keys DEFERRABLE INITIALLY DEFERRED,
          secret_id bigint NOT NULL CONSTRAINT incidents_by_secret UNIQUE
            REFERENCES keyvigil.secrets DEFERRABLE INITIALLY DEFERRED,
          introduced_at bigint,
          backdated_to bigint,
          detected_at bigint NOT NULL,
          opened_at bigint NOT NULL,
          resolved_at bigint,
          danger bigint NOT NULL CONSTRAINT danger_is_known CHECK (danger BETWEEN 0 AND 2),
          assignee text,
          close_reason text,
          used_at bigint,
          used_from text,
          use_reported_at bigint
        )
        """,
        """
        CREATE TABLE keyvigil.expected_places (
          expected_id bigint PRIMARY KEY,
          key_row bigint NOT NULL REFERENCES keyvigil.keys DEFERRABLE INITIALLY DEFERRED,
          path text COLLATE "C" NOT NULL,    -- HOST:/path
          added_at bigint NOT NULL,
          added_by text NOT NULL
        )
        """,
        """
        CREATE UNIQUE INDEX expected_places_by_path ON keyvigil.expected_places
          (key_row, keyvigil.digest(path))
        """,
    ]

    private static let unregistered: [Statement] = [
        """
        CREATE TABLE keyvigil.unregistered_secrets (
          unregistered_id bigint PRIMARY KEY,
          hash bytea NOT NULL CONSTRAINT unregistered_by_hash UNIQUE
            CONSTRAINT unregistered_is_a_hash CHECK (octet_length(hash) = 32),
          issuer text NOT NULL,
          prefix text NOT NULL,
          first_seen_at bigint NOT NULL,
          dismissed_at bigint,
          dismissed_by bigint,
          dismissed_with text,
          dismiss_reason text
        )
        """,
        """
        CREATE TABLE keyvigil.unregistered_places (
          place_id bigint PRIMARY KEY,
          unregistered_id bigint NOT NULL REFERENCES keyvigil.unregistered_secrets DEFERRABLE INITIALLY DEFERRED,
          repository_id bigint NOT NULL REFERENCES keyvigil.repositories DEFERRABLE INITIALLY DEFERRED,
          place text COLLATE "C" NOT NULL,
          repository text,
          source text NOT NULL,
          object text,
          path text,
          line bigint,
          column_number bigint,
          commit_id text,
          author text,
          authored_at text,
          form text NOT NULL,
          seen_at bigint NOT NULL,
          reported_at bigint
        )
        """,
        """
        CREATE UNIQUE INDEX unregistered_places_by_place ON keyvigil.unregistered_places
          (unregistered_id, repository_id, keyvigil.digest(place))
        """,
    ]

    private static let feeds: [Statement] = [
        """
        -- The end of each host's feed of changes.
        CREATE TABLE keyvigil.feeds (
          host bigint PRIMARY KEY REFERENCES keyvigil.hosts,
          seq bigint NOT NULL,               -- of the last entry
          clock bigint NOT NULL,             -- of the last entry
          head bytea NOT NULL CONSTRAINT head_is_a_hash CHECK (octet_length(head) = 32) -- the link of the last entry
        )
        """,
        """
        -- The entries of the feeds: each is a transaction. They are applied in the order (clock, host).
        CREATE TABLE keyvigil.changes (
          host bigint NOT NULL,
          seq bigint NOT NULL CONSTRAINT entries_are_counted CHECK (seq > 0),
          clock bigint NOT NULL,             -- one more than the greatest that the host had seen
          schema bigint NOT NULL,            -- of the replica that has made it
          at bigint NOT NULL,
          payload bytea NOT NULL,
          link bytea NOT NULL CONSTRAINT link_is_a_hash CHECK (octet_length(link) = 32), -- HMAC of the link before and the entry
          PRIMARY KEY (host, seq)
        )
        """,
        """
        -- Removes old entries of all feeds, at most 5,000 at a time: a replica that has missed them is loaded again. The end of each
        -- feed stays.
        CREATE FUNCTION keyvigil.trim_changes(days bigint) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER
          SET search_path = pg_catalog, pg_temp AS $$
        DECLARE
          removed bigint;
        BEGIN
          IF days IS NULL OR days < 1 THEN
            RAISE EXCEPTION 'entries are kept for at least a day' USING ERRCODE = 'invalid_parameter_value';
          END IF;
          DELETE FROM keyvigil.changes c USING (
            SELECT o.host, o.seq FROM keyvigil.changes o JOIN keyvigil.feeds f ON f.host = o.host AND o.seq < f.seq
            WHERE o.at < (extract(epoch FROM now()) * 1000)::bigint - days * 86400000
            ORDER BY o.host, o.seq LIMIT 5000) old
          WHERE c.host = old.host AND c.seq = old.seq;
          GET DIAGNOSTICS removed = ROW_COUNT;
          RETURN removed;
        END $$
        """,
    ]

    private static let alerts: [Statement] = [
        """
        -- The alerts of all hosts until they are delivered, each by the host that has taken it.
        CREATE TABLE keyvigil.alerts (
          alert_id text COLLATE "C" PRIMARY KEY,
          host bigint REFERENCES keyvigil.hosts,     -- who shall report it; null: any
          taken_by bigint REFERENCES keyvigil.hosts, -- null: no one yet
          taken_at timestamptz,
          delivered_at timestamptz,                  -- when the journal of the host had it
          kind text NOT NULL,
          priority bigint NOT NULL CONSTRAINT priority_is_syslog CHECK (priority BETWEEN 0 AND 7),
          message text NOT NULL,
          fields text NOT NULL CONSTRAINT fields_are_an_object CHECK (fields LIKE '{%}'),
          created_at bigint NOT NULL
        )
        """,
        "CREATE INDEX alerts_to_take ON keyvigil.alerts (priority, created_at) WHERE taken_by IS NULL",
        "CREATE INDEX alerts_to_deliver ON keyvigil.alerts (taken_by, priority, created_at) WHERE delivered_at IS NULL",
        """
        -- Ends the membership of the host whose login has opened the session; nothing where it is none's. Its outbox has the alerts that
        -- it has taken, and keeps them.
        CREATE FUNCTION keyvigil.leave() RETURNS void LANGUAGE plpgsql SECURITY DEFINER
          SET search_path = pg_catalog, pg_temp AS $$
        DECLARE
          own bigint := keyvigil.own_host();
        BEGIN
          UPDATE keyvigil.alerts SET delivered_at = now() WHERE taken_by = own AND delivered_at IS NULL;
          UPDATE keyvigil.hosts SET removed_at = now() WHERE host = own;
        END $$
        """,
    ]
}
