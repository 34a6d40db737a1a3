-- A page of what happened to one resource, newest first, with id < $5, of the types $3 (transfers:
-- of the kinds $4), in the ledger $2 or in every ledger of an organization ($1): its own row (by
-- the id $7, or the account by the address $8) and its events; of a stream also what funded it (9)
-- and what was withdrawn (10), by its own account. Where an account ($9) is asked for, of those, of
-- events and of operations on credits only what it has a part in. Withdrawals of one instant come
-- together: their ids may be in another order than their versions. Primary keys,
-- accounts_by_address, events_by_subject, transfers_by_from, transfers_by_to.
WITH l AS MATERIALIZED (
    SELECT id, name FROM ledgers
    WHERE organization_id = $1 AND deleted_at IS NULL AND ($2 IS NULL OR id = $2)
), own AS MATERIALIZED (
    SELECT a.id FROM l JOIN accounts a ON a.ledger_id = l.id WHERE a.address = $9
), escrow AS MATERIALIZED (
    SELECT a.id, s.id AS stream,
        $9 IS NULL OR s.sender IN (SELECT id FROM own) OR a.id IN (SELECT id FROM own) AS started,
        $9 IS NULL OR s.recipient IN (SELECT id FROM own) OR a.id IN (SELECT id FROM own) AS paid
    FROM l
    JOIN streams s ON s.ledger_id = l.id AND s.id = $7
    JOIN accounts a ON a.ledger_id = l.id AND a.address = '@stream:' || $7::text
), x AS MATERIALIZED (
    (SELECT n.* FROM l CROSS JOIN unnest($4) k (kind) CROSS JOIN LATERAL (
        SELECT t.id, (100 + t.kind)::int2 AS type, t.ledger_id, t.id::text AS subject,
            t.from_account AS account, t.to_account AS counterparty, t.amount, t.id AS transfer
        FROM transfers t
        WHERE t.ledger_id = l.id AND t.kind = k.kind AND t.id = $7 AND t.id < $5
            AND t.kind NOT IN (9, 10)
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
        SELECT s.id, 6::int2, s.ledger_id, s.id::text AS subject, s.sender, s.recipient, s.total,
            NULL::uuid
        FROM streams s
        WHERE 6 = ANY ($3) AND s.ledger_id = l.id AND s.id = $7 AND s.id < $5
        LIMIT 1) n)
    UNION ALL
    (SELECT n.* FROM escrow CROSS JOIN LATERAL (
        SELECT t.id, 109::int2, t.ledger_id, t.cause::text, t.from_account, t.to_account, t.amount,
            t.id AS transfer
        FROM transfers t
        WHERE 109 = ANY ($3) AND escrow.started AND t.to_account = escrow.id AND t.kind = 9
            AND t.id < $5
        ORDER BY t.created_at DESC, t.to_version DESC LIMIT 1) n)
    UNION ALL
    (SELECT n.* FROM escrow CROSS JOIN LATERAL (
        SELECT t.id, 110::int2, t.ledger_id, t.cause::text, t.from_account, t.to_account, t.amount,
            t.id AS transfer
        FROM transfers t
        WHERE 110 = ANY ($3) AND escrow.paid AND t.from_account = escrow.id AND t.kind = 10
            AND t.created_at <= $10 AND t.id < $5
        ORDER BY t.created_at DESC FETCH FIRST $6 ROWS WITH TIES) n)
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
         AND ($9 IS NULL OR e.account IN (SELECT id FROM own)
             OR e.counterparty IN (SELECT id FROM own))
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
