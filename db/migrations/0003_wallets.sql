-- Purchases with their refunds, holds, and the events that no other row records.
--
-- An instant of creation is inside the id (UUIDv7) and nowhere else. Parties are account ids: an
-- account belongs to one ledger, so an index on a party needs no ledger.

CREATE TABLE purchases (
    id uuid NOT NULL,
    ledger_id uuid NOT NULL,
    buyer uuid NOT NULL,
    author uuid NOT NULL,
    price int8 NOT NULL CHECK (price > 0),
    author_amount int8 NOT NULL CHECK (author_amount >= 0),
    platform_amount int8 NOT NULL CHECK (platform_amount >= 0),
    -- Both NULL until the one refund, which touches no index.
    refunded_at timestamptz,
    author_refund int8,
    royalty_percent int2 NOT NULL,
    reference text COLLATE "C",
    metadata text,  -- NULL is {}
    idempotency_key uuid,
    fingerprint bytea,
    PRIMARY KEY (ledger_id, id)
) WITH (fillfactor = 90);
CREATE INDEX purchases_by_buyer ON purchases (buyer, id);
CREATE INDEX purchases_by_author ON purchases (author, id);
CREATE UNIQUE INDEX purchases_by_key ON purchases (idempotency_key)
    WHERE idempotency_key IS NOT NULL;

-- A hold is written twice, when it is placed and when it ends. Every list has a status or merges
-- one range of each, so that what has ended is never walked in search of what is open.
CREATE TABLE holds (
    id uuid PRIMARY KEY,
    ledger_id uuid NOT NULL,
    from_account uuid NOT NULL,
    to_account uuid NOT NULL,
    amount int8 NOT NULL CHECK (amount > 0),
    expires_at timestamptz,  -- NULL: never
    status int2 NOT NULL,    -- 0: pending
    ended_at timestamptz,
    captured_amount int8,
    transfer uuid            -- of the capture
);
CREATE INDEX holds_by_status ON holds (ledger_id, status, id);
CREATE INDEX holds_by_from ON holds (from_account, status, id);
CREATE INDEX holds_by_to ON holds (to_account, status, id);
CREATE INDEX holds_due ON holds (expires_at, id) WHERE status = 0;

-- scope_id is the ledger, or the organization of an event that has none.
CREATE TABLE events (
    scope_id uuid NOT NULL,
    id uuid NOT NULL,
    organization_id uuid NOT NULL,
    ledger_id uuid,
    type int2 NOT NULL,
    subject uuid NOT NULL,
    account uuid,
    counterparty uuid,
    amount int8,
    transfer uuid,
    PRIMARY KEY (scope_id, id)
);
CREATE INDEX events_by_subject ON events (subject, id);
CREATE INDEX events_by_account ON events (account, id) WHERE account IS NOT NULL;
CREATE INDEX events_by_counterparty ON events (counterparty, id) WHERE counterparty IS NOT NULL;

-- The purchase or hold that made the transfer. Last, because writers wait from here to the end.
ALTER TABLE transfers ADD COLUMN cause uuid;
