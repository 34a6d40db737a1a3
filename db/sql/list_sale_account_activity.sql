-- A page of the sales that the account $6 had a part in, as seller or as a buyer who paid, newest
-- first, with id < $4, of the types $3: of an organization ($1), or of what is paid into its
-- ledger $2. accounts_by_address; for each product that is paid into such a ledger a range of
-- orders_by_user or, of what the account sells, of orders' primary key; events_by_account and
-- events_by_counterparty.
WITH p AS MATERIALIZED (
    SELECT s.id, s.price, l.name AS ledger, s.seller_address
    FROM products s
    LEFT JOIN ledgers l ON l.id = s.payment_ledger AND l.deleted_at IS NULL
    WHERE s.organization_id = $1 AND ($2 IS NULL OR l.id = $2)
), own AS MATERIALIZED (
    SELECT a.id FROM ledgers l JOIN accounts a ON a.ledger_id = l.id
    WHERE l.organization_id = $1 AND l.deleted_at IS NULL AND ($2 IS NULL OR l.id = $2)
        AND a.address = $6
), x AS MATERIALIZED (
    (SELECT p.id, 4::int2 AS type, p.id AS product_id, NULL::uuid AS order_id, p.price AS amount,
        NULL::int8 AS quantity
     FROM p WHERE 4 = ANY ($3) AND p.ledger IS NOT NULL AND p.seller_address = $6 AND p.id < $4
     ORDER BY p.id DESC LIMIT $5)
    UNION ALL
    (SELECT n.* FROM p CROSS JOIN LATERAL (
        (SELECT o.id, 5::int2, o.product_id, o.id AS order_id, o.unit_price * o.quantity,
            o.quantity
         FROM orders o
         WHERE 5 = ANY ($3) AND o.product_id = p.id AND o.user_name = $6 AND o.id < $4
             AND o.purchase IS NOT NULL
         ORDER BY o.id DESC LIMIT $5)
        UNION ALL
        (SELECT o.id, 5::int2, o.product_id, o.id, o.unit_price * o.quantity, o.quantity
         FROM orders o
         WHERE 5 = ANY ($3) AND p.seller_address = $6 AND o.product_id = p.id AND o.id < $4
             AND o.purchase IS NOT NULL
         ORDER BY o.id DESC LIMIT $5)) n
     WHERE p.ledger IS NOT NULL
     ORDER BY n.id DESC LIMIT $5)
    UNION ALL
    (SELECT n.* FROM own CROSS JOIN LATERAL (
        (SELECT e.id, (200 + e.type)::int2, e.product_id, e.subject, e.amount, e.quantity
         FROM events e JOIN p ON p.id = e.product_id
         WHERE e.account = own.id AND e.id < $4 AND e.type + 200 = ANY ($3)
         ORDER BY e.id DESC LIMIT $5)
        UNION ALL
        (SELECT e.id, (200 + e.type)::int2, e.product_id, e.subject, e.amount, e.quantity
         FROM events e JOIN p ON p.id = e.product_id
         WHERE e.counterparty = own.id AND e.id < $4 AND e.type + 200 = ANY ($3)
         ORDER BY e.id DESC LIMIT $5)) n)
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
