-- A page of the orders of one user ($2) of a product, newest first, with id < $3: a range of
-- orders_by_user.
SELECT o.id, o.product_id, o.user_name, o.quantity, o.unit_price, o.status, o.cancelled_at,
    o.metadata, o.purchase, o.idempotency_key, o.fingerprint
FROM orders o WHERE o.product_id = $1 AND o.user_name = $2 AND o.id < $3
ORDER BY o.id DESC LIMIT $4
