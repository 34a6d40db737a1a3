-- The epoch of the batch's hot ledgers and how far it has brought them, new ones among them. The
-- rows are locked. Primary key.
INSERT INTO hot_ledgers AS h (ledger_id, epoch, drained)
SELECT u.id, u.epoch, u.drained FROM unnest($1, $2, $3) u (id, epoch, drained)
ON CONFLICT (ledger_id) DO UPDATE SET epoch = excluded.epoch, drained = excluded.drained
