-- A page of what happened to one product or order ($6) of an organization ($1), or of those that
-- are paid into its ledger $2, newest first, with id < $4, of the types $3: its own row and its
-- events. Primary keys (an order by that of each product), events_by_subject.
WITH p AS MATERIALIZED (
    SELECT s.id, s.price, l.name AS ledger, s.seller_address
    FROM products s
    LEFT JOIN ledgers l ON l.id = s.payment_ledger AND l.deleted_at IS NULL
    WHERE s.organization_id = $1 AND ($2 IS NULL OR l.id = $2)
), x AS MATERIALIZED (
    (SELECT p.id, 4::int2 AS type, p.id AS product_id, NULL::uuid AS order_id, p.price AS amount,
        NULL::int8 AS quantity
     FROM p WHERE 4 = ANY ($3) AND p.id = $6 AND p.id < $4)
    UNION ALL
    (SELECT n.* FROM p CROSS JOIN LATERAL (
        SELECT o.id, 5::int2, o.product_id, o.id AS order_id, o.unit_price * o.quantity, o.quantity
        FROM orders o
        WHERE 5 = ANY ($3) AND o.product_id = p.id AND o.id = $6 AND o.id < $4
        LIMIT 1) n)
    UNION ALL
    (SELECT e.id, (200 + e.type)::int2, e.product_id, e.subject, e.amount, e.quantity
     FROM events e JOIN p ON p.id = e.product_id
     WHERE e.subject = $6 AND e.id < $4 AND e.type + 200 = ANY ($3)
     ORDER BY e.id DESC LIMIT $5)
    ORDER BY id DESC LIMIT $5
)
SELECT x.id, x.type, p.ledger, coalesce(x.order_id, x.product_id)::text,
    CASE WHEN p.ledger IS NOT NULL AND o.purchase IS NOT NULL THEN o.user_name END,
    CASE WHEN p.ledger IS NOT NULL AND (o.id IS NULL OR o.purchase IS NOT NULL)
        THEN p.seller_address END,
    x.amount, NULL::uuid, x.product_id, o.user_name, x.quantity
FROM x
JOIN p ON p.id = x.product_id
LEFT JOIN orders o ON o.product_id = x.product_id AND o.id = x.order_id
ORDER BY x.id DESC
