-- Lots of these operations beyond as many as each has made ($2). Ranges of the primary key.
SELECT l.operation_id, l.index, l.account_id
FROM unnest($1, $2) u (operation_id, made)
JOIN credit_lots l ON l.operation_id = u.operation_id AND l.index >= u.made
