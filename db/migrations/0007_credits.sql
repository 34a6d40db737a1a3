-- Credits: what was asked for, the history of each address, and the lots that follow from it.
--
-- Within a ledger the ids of operations ascend in the order of decision: whoever changes its
-- credits holds the row of credit_ledgers and begins behind `last`. So every order of time is an
-- order of ids, and an instant is inside an id (UUIDv7) and nowhere else. Addresses are accounts.

CREATE TABLE credit_ledgers (
    ledger_id uuid PRIMARY KEY,
    last uuid NOT NULL,
    -- Of the operation up to which the lots are written: behind `last`, they are to be rebuilt.
    lots_last uuid NOT NULL
) WITH (fillfactor = 50);

CREATE TABLE credit_operations (
    ledger_id uuid NOT NULL,
    id uuid NOT NULL,
    kind int2 NOT NULL,
    reference text COLLATE "C" NOT NULL,
    sender uuid,  -- of a transfer
    minted boolean NOT NULL,
    drain int2 NOT NULL,
    idempotency_key uuid,
    fingerprint bytea,
    PRIMARY KEY (ledger_id, id)
);
CREATE UNIQUE INDEX credit_operations_by_reference ON credit_operations (ledger_id, reference);
CREATE UNIQUE INDEX credit_operations_by_key ON credit_operations (idempotency_key)
    WHERE idempotency_key IS NOT NULL;

CREATE TABLE credit_entries (
    operation_id uuid NOT NULL,
    account_id uuid NOT NULL,
    amount int8 NOT NULL,
    index int4 NOT NULL,
    shortfall int8,          -- NULL is 0
    expires_at timestamptz,  -- as requested
    PRIMARY KEY (operation_id, index)
);
CREATE INDEX credit_entries_by_account ON credit_entries (account_id, operation_id, index);

-- amount_remaining is in no index and in no index's predicate, so that draining a part of a lot
-- touches none. is_open changes once, when nothing is left or the expiry is recorded: what has
-- gone by then is in nobody's way.
CREATE TABLE credit_lots (
    operation_id uuid NOT NULL,
    account_id uuid NOT NULL,
    amount int8 NOT NULL CHECK (amount > 0),
    amount_remaining int8 NOT NULL CHECK (amount_remaining BETWEEN 0 AND amount),
    expires_at timestamptz,  -- NULL: never
    index int4 NOT NULL,
    is_open boolean NOT NULL,
    PRIMARY KEY (operation_id, index)
) WITH (fillfactor = 80);
CREATE INDEX credit_lots_open ON credit_lots (account_id, operation_id, index) WHERE is_open;
CREATE INDEX credit_lots_due ON credit_lots (expires_at, operation_id, index)
    WHERE is_open AND expires_at IS NOT NULL;

INSERT INTO credit_ledgers
SELECT id, '00000000-0000-0000-0000-000000000000', '00000000-0000-0000-0000-000000000000'
FROM ledgers WHERE kind = 1;
