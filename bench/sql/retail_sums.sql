-- What a shop's invoices come to by SQL alone, beside what the ledger holds that they were replayed
-- into. For psql, with the variable ledger (its name) and the file, unpacked, on standard input;
-- ends with an error when a figure differs.
BEGIN;

CREATE TEMP TABLE invoice_lines (
    place int8 GENERATED ALWAYS AS IDENTITY, invoice text, stock_code text, quantity numeric,
    unit_price numeric, invoice_at text, customer_id text, country text
) ON COMMIT DROP;
-- Byte by byte: of what is no letter of an address each byte becomes a line.
\copy invoice_lines (invoice, stock_code, quantity, unit_price, invoice_at, customer_id, country) from pstdin with (format csv, delimiter E'\t', quote E'\b', header, encoding 'LATIN1')

CREATE TEMP TABLE lines ON COMMIT DROP AS
SELECT place, amount,
    'customer:' || regexp_replace(coalesce(customer_id, 'guest'), '[^A-Za-z0-9._:-]', '_', 'g')
        COLLATE "C" AS customer,
    'product:' || regexp_replace(stock_code, '[^A-Za-z0-9._:-]', '_', 'g') COLLATE "C" AS product,
    CASE WHEN amount >= 1 AND quantity > 0 AND unit_price > 0 THEN 1
        WHEN amount >= 1 AND quantity < 0 AND invoice LIKE 'C%' THEN -1
        ELSE 0 END AS step
FROM (SELECT *, round(abs(quantity) * unit_price * 100) AS amount FROM invoice_lines) l;

-- A refund takes back the latest purchase of the same customer, product and amount that is not
-- taken back yet: like brackets, of which as many lack their other half as the lowest level of
-- all that was opened and closed so far lies below zero.
CREATE TEMP TABLE deals ON COMMIT DROP AS
SELECT customer, product, amount, count(*) FILTER (WHERE step = 1) AS purchases,
    count(*) FILTER (WHERE step = -1) - greatest(0, -min(level)) AS refunds,
    greatest(0, -min(level)) AS unmatched
FROM (
    SELECT *, sum(step) OVER (PARTITION BY customer, product, amount ORDER BY place) AS level
    FROM lines WHERE step <> 0
) leveled
GROUP BY customer, product, amount;

-- An author has the percentage of all that was not taken back: whole units, and hundredths of one.
CREATE TEMP TABLE expected ON COMMIT DROP AS
SELECT product AS address, div(percent * sum(amount * (purchases - refunds)), 100) AS balance,
    mod(percent * sum(amount * (purchases - refunds)), 100) AS fraction
FROM deals, (SELECT royalty_percent AS percent FROM ledgers
    WHERE name = :'ledger' AND deleted_at IS NULL) ledger
WHERE purchases > 0 GROUP BY product, percent
UNION ALL
SELECT customer, sum(amount * refunds), 0 FROM deals WHERE purchases > 0 GROUP BY customer;
INSERT INTO expected
SELECT '@platform', sum(amount * (purchases - refunds)) - (SELECT sum(balance) FROM expected
    WHERE address LIKE 'product:%'), NULL
FROM deals;

CREATE TEMP TABLE held ON COMMIT DROP AS
SELECT a.address, a.balance, a.fraction FROM accounts a JOIN ledgers l ON l.id = a.ledger_id
WHERE l.name = :'ledger' AND l.deleted_at IS NULL AND a.address <> '@world';

CREATE TEMP TABLE sold ON COMMIT DROP AS
SELECT p.price, p.refunded_at FROM purchases p JOIN ledgers l ON l.id = p.ledger_id
WHERE l.name = :'ledger' AND l.deleted_at IS NULL;

CREATE TEMP TABLE figures ON COMMIT DROP AS
SELECT 1 AS place, 'purchases' AS figure, sum(purchases) AS by_sql,
    (SELECT count(*) FROM sold)::numeric AS in_the_ledger FROM deals
UNION ALL
SELECT 2, 'for', sum(amount * purchases), (SELECT sum(price) FROM sold) FROM deals
UNION ALL
SELECT 3, 'refunds', sum(refunds),
    (SELECT count(*) FROM sold WHERE refunded_at IS NOT NULL) FROM deals
UNION ALL
SELECT 4, 'of', sum(amount * refunds),
    (SELECT sum(price) FROM sold WHERE refunded_at IS NOT NULL) FROM deals
UNION ALL
SELECT 5, 'products', count(*), (SELECT count(*) FROM held WHERE address LIKE 'product:%')
FROM expected WHERE address LIKE 'product:%'
UNION ALL
SELECT 6, 'with', sum(balance), (SELECT sum(balance) FROM held WHERE address LIKE 'product:%')
FROM expected WHERE address LIKE 'product:%'
UNION ALL
SELECT 7, 'and hundredths', sum(fraction),
    (SELECT sum(fraction) FROM held WHERE address LIKE 'product:%')
FROM expected WHERE address LIKE 'product:%'
UNION ALL
SELECT 8, 'customers', count(*), (SELECT count(*) FROM held WHERE address LIKE 'customer:%')
FROM expected WHERE address LIKE 'customer:%'
UNION ALL
SELECT 9, '@platform', balance, (SELECT balance FROM held WHERE address = '@platform')
FROM expected WHERE address = '@platform'
UNION ALL
SELECT 10, 'accounts that differ', 0, count(*)
FROM expected e FULL JOIN held h USING (address)
WHERE e.balance IS DISTINCT FROM h.balance
    OR e.fraction IS DISTINCT FROM h.fraction AND e.fraction IS NOT NULL;

\pset format aligned
\pset tuples_only off
SELECT figure, by_sql AS "by SQL from the file", in_the_ledger AS "in the ledger"
FROM figures ORDER BY place;
SELECT sum(unmatched) AS "refunds of nothing",
    (SELECT count(*) FROM lines WHERE step = 0) AS "lines that are neither"
FROM deals;

DO $$
BEGIN
    IF EXISTS (SELECT FROM figures WHERE by_sql IS DISTINCT FROM in_the_ledger) THEN
        RAISE EXCEPTION 'the ledger is not what the invoices come to';
    END IF;
END $$;
COMMIT;
