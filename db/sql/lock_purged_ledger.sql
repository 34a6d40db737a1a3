-- The ledger that was deleted first, before $1, and that no other server is purging.
-- ledgers_deleted; the lock lasts until the end of the transaction.
SELECT id FROM ledgers WHERE deleted_at < $1 ORDER BY deleted_at LIMIT 1 FOR UPDATE SKIP LOCKED
