-- Organizations, their keys, and ledgers of money.
--
-- PostgreSQL's work per transfer is the ceiling of this program, so: one row per transfer with
-- both accounts' standing in it, no index on a column that an ordinary commit updates, and no
-- index that no route needs. Names and addresses compare by bytes (COLLATE "C").

CREATE TABLE organizations (
    id uuid PRIMARY KEY,
    name text COLLATE "C" NOT NULL UNIQUE,
    created_at timestamptz NOT NULL
);

INSERT INTO organizations (id, name, created_at)
VALUES ('00000000-0000-0000-0000-000000000000', 'default', '1970-01-01T00:00:00Z');

CREATE TABLE api_keys (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES organizations,
    name text NOT NULL,
    scopes int2 NOT NULL,
    digest bytea NOT NULL UNIQUE,
    created_at timestamptz NOT NULL,
    revoked_at timestamptz
);
CREATE INDEX api_keys_of_organization ON api_keys (organization_id, id);

CREATE TABLE ledgers (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES organizations,
    name text COLLATE "C" NOT NULL,
    asset_code text NOT NULL,
    asset_scale int2 NOT NULL,
    kind int2 NOT NULL,
    posting int2 NOT NULL,
    royalty_percent int2 NOT NULL,
    drain int2 NOT NULL,
    accounts int2 NOT NULL,
    issuers text[] NOT NULL,
    created_at timestamptz NOT NULL,
    -- Set by deleting: from then on nothing finds the ledger, and its rows can be purged.
    deleted_at timestamptz
);
CREATE UNIQUE INDEX ledgers_by_name ON ledgers (organization_id, name) WHERE deleted_at IS NULL;

-- No reference to ledgers: whoever writes an account holds a lock on its ledger's row.
CREATE TABLE accounts (
    id uuid PRIMARY KEY,
    ledger_id uuid NOT NULL,
    address text COLLATE "C" NOT NULL,
    overdraft_limit int8 NOT NULL,
    balance int8 NOT NULL,
    held int8 NOT NULL,
    fraction int2 NOT NULL,
    version int8 NOT NULL,
    metadata text NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT accounts_by_address UNIQUE (ledger_id, address)
) WITH (fillfactor = 75);

-- created_at is the instant inside the id. Within one account it never decreases with version.
CREATE TABLE transfers (
    id uuid NOT NULL,
    ledger_id uuid NOT NULL,
    from_account uuid NOT NULL,
    to_account uuid NOT NULL,
    amount int8 NOT NULL CHECK (amount > 0),
    from_balance int8 NOT NULL,
    from_version int8 NOT NULL,
    to_balance int8 NOT NULL,
    to_version int8 NOT NULL,
    created_at timestamptz NOT NULL,
    kind int2 NOT NULL,
    reference text COLLATE "C",
    metadata text,  -- NULL is {}
    reverts uuid,
    idempotency_key uuid,
    fingerprint bytea,
    -- A list of one kind is one range of it; a list of all kinds merges one range of each.
    PRIMARY KEY (ledger_id, kind, id)
);
CREATE INDEX transfers_by_from ON transfers (from_account, created_at, from_version);
CREATE INDEX transfers_by_to ON transfers (to_account, created_at, to_version);
CREATE UNIQUE INDEX transfers_by_key ON transfers (idempotency_key)
    WHERE idempotency_key IS NOT NULL;
CREATE UNIQUE INDEX transfers_by_reverts ON transfers (reverts) WHERE reverts IS NOT NULL;
CREATE INDEX transfers_by_reference ON transfers (ledger_id, reference, id)
    WHERE reference IS NOT NULL;

CREATE TABLE ledger_totals (
    ledger_id uuid NOT NULL,
    kind int2 NOT NULL,
    count int8 NOT NULL,
    amount numeric NOT NULL,
    PRIMARY KEY (ledger_id, kind)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);

-- What a key was used for, where no immutable row of its own can render the answer again.
CREATE TABLE answers (
    idempotency_key uuid PRIMARY KEY,
    fingerprint bytea NOT NULL,
    ledger_id uuid,
    status int2 NOT NULL,
    body text NOT NULL,
    request_id text NOT NULL,
    items int2[] NOT NULL,
    transfers uuid[] NOT NULL,
    created_at timestamptz NOT NULL
);
