-- What the batch left of older lots, once for each. Their addresses are locked. Primary key;
-- an index is touched only where a lot closes.
UPDATE credit_lots l
SET amount_remaining = u.amount_remaining, is_open = u.is_open
FROM unnest($1, $2, $3, $4) u (operation_id, index, amount_remaining, is_open)
WHERE l.operation_id = u.operation_id AND l.index = u.index
