-- What a gate is built from: a product's orders, oldest first, with id > $2. A range of the
-- primary key.
SELECT o.id, o.idempotency_key, o.user_name, o.quantity, o.status
FROM orders o WHERE o.product_id = $1 AND o.id > $2
ORDER BY o.id LIMIT $3
