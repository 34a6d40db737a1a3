-- Cancelled (1) once; the products that are locked keep others from it. Primary key; no other
-- index has a column that changes, so none is touched.
UPDATE orders o SET status = 1, cancelled_at = u.cancelled_at
FROM unnest($1, $2, $3) u (product_id, id, cancelled_at)
WHERE o.product_id = u.product_id AND o.id = u.id
