-- Once per account and batch, however many transfers touched it. Primary key; the rows are locked
-- and no indexed column changes, so no index is touched.
UPDATE accounts a
SET balance = u.balance, held = u.held, fraction = u.fraction, version = u.version,
    updated_at = u.updated_at
FROM (SELECT unnest($1) AS id, unnest($2) AS balance, unnest($3) AS held, unnest($4) AS fraction,
    unnest($5) AS version, unnest($6) AS updated_at) u
WHERE a.id = u.id
