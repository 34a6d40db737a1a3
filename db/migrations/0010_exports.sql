-- Exports: files that jobs write, in chunks, and who asked for them and fetched them.

CREATE TABLE exports (
    id uuid PRIMARY KEY,  -- and its job's
    organization_id uuid NOT NULL,
    source int2 NOT NULL,
    format int2 NOT NULL,
    status int2 NOT NULL,  -- 0 pending, 1 processing, 2 ready, 3 failed, 4 expired
    rows int8 NOT NULL,
    bytes int8 NOT NULL,   -- where the next chunk begins
    ledger_id uuid,
    ledger_name text COLLATE "C",
    account text COLLATE "C",
    from_at timestamptz,
    to_at timestamptz,
    position text COLLATE "C",  -- where its source is read on; NULL: from the beginning
    sha256 text COLLATE "C",
    finished_at timestamptz,
    expires_at timestamptz,
    -- When something is to be done: a finished one expires; of an expired one the chunks go.
    due_at timestamptz
) WITH (fillfactor = 70);
CREATE INDEX exports_of_organization ON exports (organization_id, id);
CREATE INDEX exports_unfinished ON exports (id) WHERE status < 2;
CREATE INDEX exports_due ON exports (due_at, id) WHERE due_at IS NOT NULL;

-- A chunk is named by the byte of the file that it begins with. Not compressed, so that a piece
-- from its middle is read without the rest of it.
CREATE TABLE export_chunks (
    export_id uuid NOT NULL,
    start int8 NOT NULL,
    data bytea NOT NULL,
    PRIMARY KEY (export_id, start)
);
ALTER TABLE export_chunks ALTER COLUMN data SET STORAGE EXTERNAL;

CREATE TABLE export_audit (
    export_id uuid NOT NULL,
    id uuid NOT NULL,
    type int2 NOT NULL,  -- 0 requested, 1 ready, 2 downloaded, 3 expired, 4 failed
    request_id text NOT NULL,
    PRIMARY KEY (export_id, id)
);

-- What the links of downloads are signed with, unless the operator gives a key: the same for
-- every server of this database. Two random UUIDs have 244 random bits.
CREATE TABLE export_secrets (
    is_only boolean PRIMARY KEY CHECK (is_only),
    secret bytea NOT NULL
);
INSERT INTO export_secrets (is_only, secret)
VALUES (true, uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()));
