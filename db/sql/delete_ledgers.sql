-- Deleting hides a ledger; its rows are purged later. Primary key; the rows are locked.
UPDATE ledgers l SET deleted_at = u.deleted_at
FROM unnest($1, $2) u (id, deleted_at) WHERE l.id = u.id
