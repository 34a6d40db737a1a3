-- A page of what happened to one resource, newest first, with id < $5, of the types $3 (transfers:
-- of the kinds $4), in the ledger $2 or in every ledger of an organization ($1): its own row (by
-- the id $7, or the account by the address $8) and its events. Primary keys, accounts_by_address,
-- events_by_subject. An operation on credits only if the address $9 (NULL: any) has a part
-- in it.
WITH l AS MATERIALIZED (
    SELECT id, name FROM ledgers
    WHERE organization_id = $1 AND deleted_at IS NULL AND ($2 IS NULL OR id = $2)
), x AS MATERIALIZED (
    (SELECT n.* FROM l CROSS JOIN unnest($4) k (kind) CROSS JOIN LATERAL (
        SELECT t.id, (100 + t.kind)::int2 AS type, t.ledger_id, t.id::text AS subject,
            t.from_account AS account, t.to_account AS counterparty, t.amount, t.id AS transfer
        FROM transfers t
        WHERE t.ledger_id = l.id AND t.kind = k.kind AND t.id = $7 AND t.id < $5
        LIMIT 1) n)
    UNION ALL
    (SELECT n.* FROM l CROSS JOIN LATERAL (
        SELECT p.id, 3::int2, p.ledger_id, p.id::text AS subject,
            p.buyer, p.author, p.price, NULL::uuid
        FROM purchases p
        WHERE 3 = ANY ($3) AND p.ledger_id = l.id AND p.id = $7 AND p.id < $5
        LIMIT 1) n)
    UNION ALL
    (SELECT h.id, 2::int2, h.ledger_id, h.id::text AS subject,
         h.from_account, h.to_account, h.amount,
        NULL::uuid
     FROM holds h JOIN l ON l.id = h.ledger_id
     WHERE 2 = ANY ($3) AND h.id = $7 AND h.id < $5)
    UNION ALL
    (SELECT n.* FROM l CROSS JOIN LATERAL (
        SELECT a.id, 1::int2, a.ledger_id, a.address, a.id AS account, NULL::uuid, NULL::int8,
            NULL::uuid
        FROM accounts a
        WHERE 1 = ANY ($3) AND a.ledger_id = l.id AND a.address = $8 AND a.id < $5
            AND a.address NOT LIKE '@%'
        LIMIT 1) n)
    UNION ALL
    (SELECT e.id, (200 + e.type)::int2, e.ledger_id, e.subject::text, e.account, e.counterparty,
        e.amount, e.transfer
     FROM events e
     WHERE e.subject = $7 AND e.id < $5 AND e.type + 200 = ANY ($3) AND e.organization_id = $1
         AND e.product_id IS NULL AND ($2 IS NULL OR e.ledger_id = $2)
     ORDER BY e.id DESC LIMIT $6)
    UNION ALL
    (SELECT n.* FROM l CROSS JOIN LATERAL (
        SELECT o.id, (50 + o.kind)::int2, o.ledger_id, o.id::text AS subject,
            NULL::uuid, NULL::uuid, NULL::int8, NULL::uuid
        FROM credit_operations o
        WHERE o.ledger_id = l.id AND o.id = $7 AND o.id < $5 AND o.kind + 50 = ANY ($3)
            AND ($9 IS NULL OR EXISTS (
                SELECT 1 FROM accounts p
                WHERE p.ledger_id = l.id AND p.address = $9
                    AND (p.id = o.sender OR EXISTS (
                        SELECT 1 FROM credit_entries e
                        WHERE e.account_id = p.id AND e.operation_id = o.id))))
        LIMIT 1) n)
    ORDER BY id DESC LIMIT $6
)
SELECT x.id, x.type, l.name, x.subject, a.address, c.address, coalesce(x.amount, only_one.amount),
    x.transfer, o.reference
FROM x
LEFT JOIN l ON l.id = x.ledger_id
LEFT JOIN credit_operations o ON o.ledger_id = x.ledger_id
    AND o.id = CASE WHEN x.type IN (51, 52, 53, 207) THEN x.subject::uuid END
LEFT JOIN LATERAL (
    SELECT e.account_id, abs(e.amount) AS amount
    FROM credit_entries e
    WHERE e.operation_id = CASE WHEN x.type IN (51, 52, 53) THEN x.id END AND e.index = 0
        AND NOT EXISTS (
            SELECT 1 FROM credit_entries n
            WHERE n.operation_id = x.id AND n.index = 1 AND n.account_id IS DISTINCT FROM o.sender)
) only_one ON true
LEFT JOIN accounts a
    ON a.id = coalesce(x.account, o.sender, CASE WHEN x.type < 53 THEN only_one.account_id END)
LEFT JOIN accounts c
    ON c.id = CASE WHEN x.type = 53 THEN only_one.account_id ELSE x.counterparty END
ORDER BY x.id DESC
