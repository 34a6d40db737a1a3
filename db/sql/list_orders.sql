-- A page of a product's orders, newest first, with id < $2: a range of the primary key.
SELECT o.id, o.product_id, o.user_name, o.quantity, o.unit_price, o.status, o.cancelled_at,
    o.metadata, o.purchase, o.idempotency_key, o.fingerprint
FROM orders o WHERE o.product_id = $1 AND o.id < $2
ORDER BY o.id DESC LIMIT $3
