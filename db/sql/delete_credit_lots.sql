-- Lots that follow from nothing. Primary key.
DELETE FROM credit_lots l USING unnest($1, $2) u (operation_id, index)
WHERE l.operation_id = u.operation_id AND l.index = u.index
