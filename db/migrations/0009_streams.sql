-- Payment streams. The money of one lies on an account of its own and moves by transfers; what has
-- vested follows from these instants.
--
-- No column that an action changes is in an index, so that none is touched: every list is one walk
-- along the ids, in which a page passes over what it does not show, within a bound.

CREATE TABLE streams (
    id uuid NOT NULL,
    ledger_id uuid NOT NULL,
    sender uuid NOT NULL,
    recipient uuid NOT NULL,
    total int8 NOT NULL CHECK (total > 0),
    duration_s int8 NOT NULL CHECK (duration_s > 0),
    released int8 NOT NULL CHECK (released >= 0),
    refunded int8 NOT NULL CHECK (refunded >= 0),
    started_at timestamptz,
    ends_at timestamptz,
    paused_at timestamptz,
    ended_at timestamptz,
    settled_at timestamptz,
    updated_at timestamptz NOT NULL,
    status int2 NOT NULL,
    label text COLLATE "C",
    metadata text,  -- NULL is {}
    PRIMARY KEY (ledger_id, id)
) WITH (fillfactor = 70);
CREATE INDEX streams_by_sender ON streams (sender, id);
CREATE INDEX streams_by_recipient ON streams (recipient, id);
