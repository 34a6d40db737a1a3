-- What the batch left of older lots, once for each. Their addresses are locked. Primary key;
-- an index is touched only where a lot closes.
UPDATE credit_lots l
SET amount_remaining = u.amount_remaining, is_open = u.is_open
FROM (SELECT unnest($1) AS operation_id, unnest($2) AS index, unnest($3) AS amount_remaining,
    unnest($4) AS is_open) u
WHERE l.operation_id = u.operation_id AND l.index = u.index
