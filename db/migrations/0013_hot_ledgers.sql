-- How far a hot ledger has been brought home, and for whom: nothing of another epoch is taken.
CREATE TABLE hot_ledgers (
    ledger_id uuid PRIMARY KEY,
    epoch int8 NOT NULL,
    drained int8 NOT NULL
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
