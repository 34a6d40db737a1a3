-- The orders that these idempotency keys made. Asked after the product locks: a first attempt that
-- was committing has ended by then. Index orders_by_key.
SELECT o.id, o.product_id, o.user_name, o.quantity, o.unit_price, o.status, o.cancelled_at,
    o.metadata, o.purchase, o.idempotency_key, o.fingerprint
FROM unnest($1) k (key)
JOIN orders o ON o.idempotency_key = k.key
