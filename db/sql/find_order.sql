-- One order of a product. Primary key.
SELECT o.id, o.product_id, o.user_name, o.quantity, o.unit_price, o.status, o.cancelled_at,
    o.metadata, o.purchase, o.idempotency_key, o.fingerprint
FROM orders o WHERE o.product_id = $1 AND o.id = $2
