-- What the activity feed walks: the accounts of a ledger by their making, and events by type, so
-- that a page of one type never walks the others.
CREATE INDEX accounts_by_creation ON accounts (ledger_id, id);
ALTER TABLE events DROP CONSTRAINT events_pkey, ADD PRIMARY KEY (scope_id, type, id);
