-- Did every order cost its product's price, was it paid by one purchase of that total between its
-- user and the seller, and is that refunded if the order is cancelled? Of the products that are
-- paid into a ledger, or ('') of all; what a deleted ledger held is not asked for. Full scan.
WITH p AS (
    SELECT s.*, l.id AS ledger FROM products s
    LEFT JOIN ledgers l ON l.id = s.payment_ledger AND l.deleted_at IS NULL
    WHERE s.payment_ledger = nullif($1::text, '')::uuid OR $1::text = ''
), o AS (
    SELECT o.id, o.product_id, o.user_name, o.status, o.cancelled_at, o.unit_price, o.purchase,
        o.unit_price * o.quantity AS total, p.price, p.payment_ledger, p.ledger, p.seller
    FROM orders o JOIN p ON p.id = o.product_id
), bad AS (
    SELECT o.id
    FROM o
    LEFT JOIN purchases b ON b.ledger_id = o.ledger AND b.id = o.purchase
    LEFT JOIN accounts a ON a.id = b.buyer
    WHERE o.unit_price <> o.price
        OR (o.status = 0) <> (o.cancelled_at IS NULL)
        OR (o.purchase IS NULL) <> (o.payment_ledger IS NULL OR o.total = 0)
        OR (o.ledger IS NOT NULL AND o.purchase IS NOT NULL
            AND (b.id IS NULL OR b.price <> o.total OR b.author <> o.seller
                OR a.address IS DISTINCT FROM o.user_name
                OR (o.status <> 0 AND b.refunded_at IS NULL)))
)
SELECT NOT EXISTS (SELECT 1 FROM bad),
    coalesce(
        (SELECT count(*) || ' orders; ' || min(id::text) FROM bad HAVING count(*) > 0),
        (SELECT count(*) || ' orders' FROM o))
