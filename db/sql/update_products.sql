-- Once per product and batch, however many orders took from it. Primary key; the rows are locked
-- and no indexed column changes, so no index is touched.
UPDATE products p SET stock = u.stock, sold = u.sold, version = u.version
FROM unnest($1, $2, $3, $4) u (id, stock, sold, version)
WHERE p.id = u.id
