-- Once per account and batch, however many transfers touched it. Primary key; the rows are locked
-- and no indexed column changes, so no index is touched.
UPDATE accounts a
SET balance = u.balance, held = u.held, fraction = u.fraction, version = u.version,
    updated_at = u.updated_at
FROM unnest($1, $2, $3, $4, $5, $6) u (id, balance, held, fraction, version, updated_at)
WHERE a.id = u.id
