-- A ledger of credits with a long past, made in minutes: what a balance costs behind ten million
-- rows of history is measured on it. For psql, with the variables ledger (a name), accounts (2 to
-- 100000) and rows (an even multiple of accounts, at least four times as many).
--
-- In a round every address is served once, each by an operation of its own. Three rounds of grants
-- of 100, one of expenses of 50, and from then on grants of 100 and expenses of 100 take turns: an
-- expense ends the oldest lot and begins the next one. So what is left of every lot follows from
-- its number alone: nothing is sorted, nothing is summed up, every invariant holds, and each
-- address has three open lots however many it has had. Lots of every other address expire in a
-- far future. Keys and references are random, as clients' are.
BEGIN;

-- Building an index from all rows takes a tenth of the time of keeping it while they arrive.
CREATE TEMP TABLE rebuilt ON COMMIT DROP AS
SELECT indexrelid::regclass::text AS name, pg_get_indexdef(indexrelid) AS definition
FROM pg_index
WHERE indrelid IN ('credit_operations'::regclass, 'credit_entries'::regclass,
        'credit_lots'::regclass)
    AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conindid = indexrelid);
DO $$
DECLARE dropped text;
BEGIN
    FOR dropped IN SELECT name FROM rebuilt LOOP EXECUTE 'DROP INDEX ' || dropped; END LOOP;
END $$;
SET LOCAL maintenance_work_mem = '512MB';

-- As the server makes them: the instant, the place within it, and 56 bits of noise.
CREATE FUNCTION pg_temp.uuid7(ms int8, ordinal int8, noise text) RETURNS uuid
LANGUAGE sql IMMUTABLE AS $$
    SELECT (lpad(to_hex(ms), 12, '0') || to_hex(28672 | (ordinal >> 6))
        || to_hex(128 | (ordinal & 63)) || left(md5(noise), 14))::uuid
$$;

CREATE TEMP TABLE plan ON COMMIT DROP AS
SELECT pg_temp.uuid7(ended_ms - :rows / 10 - 1000, 0, :'ledger') AS ledger_id,
    ended_ms - :rows / 10 - 1000 AS opened_ms,
    ended_ms - :rows / 10 AS began_ms,
    :rows / :accounts AS rounds,
    -- How often a grant and an expense have taken turns.
    (:rows / :accounts - 4) / 2 AS turns,
    '2100-01-01 00:00:00+00'::timestamptz AS far
-- In the past: the server's clock is ahead of every account's newest instant.
FROM (SELECT (extract(epoch FROM now()) * 1000)::int8 - 1000 AS ended_ms) clock;

CREATE TEMP TABLE holders ON COMMIT DROP AS
SELECT k, pg_temp.uuid7(opened_ms, k % 262144, :'ledger' || k) AS id,
    CASE WHEN k % 2 = 1 THEN far END AS expires_at
FROM plan, generate_series(0, :accounts - 1) k;
ALTER TABLE holders ADD PRIMARY KEY (k);
ANALYZE holders;

INSERT INTO ledgers (id, organization_id, name, asset_code, asset_scale, kind, posting,
    royalty_percent, drain, accounts, issuers, created_at)
SELECT ledger_id, '00000000-0000-0000-0000-000000000000', :'ledger', 'CRD', 0, 1, 0, 70, 0, 0,
    '{}', to_timestamp(opened_ms / 1000.0)
FROM plan;

-- Ten to a millisecond, like a busy server's: operation i is the one of address i mod n in round
-- i / n.
CREATE TEMP TABLE numbered ON COMMIT DROP AS
SELECT pg_temp.uuid7(began_ms + i / 10, i % 10, :'ledger' || i) AS operation_id, i,
    (i / :accounts)::int4 AS round, (i % :accounts)::int4 AS k,
    i / :accounts < 3 OR (i / :accounts > 3 AND i / :accounts % 2 = 0) AS is_grant
FROM plan, generate_series(0, :rows::int8 - 1) i;

INSERT INTO credit_operations (ledger_id, id, kind, reference, sender, minted, drain,
    idempotency_key, fingerprint)
SELECT ledger_id, operation_id, CASE WHEN is_grant THEN 1 ELSE 2 END,
    md5(:'ledger' || 'reference' || i), NULL, false, 0,
    md5(:'ledger' || 'key' || i)::uuid, sha256(int8send(i))
FROM plan, numbered;

INSERT INTO credit_entries (operation_id, account_id, amount, index, shortfall, expires_at)
SELECT operation_id, h.id, CASE WHEN is_grant THEN 100 WHEN round = 3 THEN -50 ELSE -100 END, 0,
    NULL, CASE WHEN is_grant THEN expires_at END
FROM numbered JOIN holders h USING (k);

-- The lot of the grant number g of an address: of g = turns a half is left, of the later ones all.
INSERT INTO credit_lots (operation_id, account_id, amount, amount_remaining, expires_at, index,
    is_open)
SELECT operation_id, id, 100,
    CASE WHEN g < turns THEN 0 WHEN g = turns THEN 50 ELSE 100 END, expires_at, 0, g >= turns
FROM plan, (
    SELECT operation_id, h.id, expires_at,
        CASE WHEN round < 3 THEN round ELSE 3 + (round - 4) / 2 END AS g
    FROM numbered JOIN holders h USING (k)
    WHERE is_grant
) granted;

INSERT INTO accounts (id, ledger_id, address, overdraft_limit, balance, held, fraction, version,
    metadata, created_at, updated_at)
SELECT id, ledger_id, 'account:' || lpad(k::text, 7, '0'), 0, 250, 0, 0, rounds, '{}',
    to_timestamp(opened_ms / 1000.0), to_timestamp((began_ms + (:rows - 1) / 10) / 1000.0)
FROM plan, holders;

INSERT INTO credit_ledgers (ledger_id, last, lots_last)
SELECT ledger_id, operation_id, operation_id FROM plan, numbered WHERE i = :rows - 1;

INSERT INTO ledger_totals (ledger_id, kind, count, amount)
SELECT ledger_id, 101, (3 + turns)::int8 * :accounts, (3 + turns)::numeric * 100 * :accounts
FROM plan
UNION ALL
SELECT ledger_id, 102, (1 + turns)::int8 * :accounts, (50 + 100 * turns)::numeric * :accounts
FROM plan;

DO $$
DECLARE made text;
BEGIN
    FOR made IN SELECT definition FROM rebuilt LOOP EXECUTE made; END LOOP;
END $$;
COMMIT;
ANALYZE ledgers, accounts, ledger_totals, credit_ledgers, credit_operations, credit_entries,
    credit_lots;
