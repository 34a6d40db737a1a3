-- The standings of a batch, where the mirror has older ones. Answers the accounts of which this
-- cannot be told from the batch alone: those that the mirror lacks, and those that differ although
-- neither is newer (holds of two servers within a millisecond). Primary key.
WITH u AS MATERIALIZED (
    SELECT unnest($1) AS id, unnest($2) AS balance, unnest($3) AS held, unnest($4) AS fraction,
        unnest($5) AS version, unnest($6) AS updated_at),
done AS (
    UPDATE accounts a
    SET balance = u.balance, held = u.held, fraction = u.fraction, version = u.version,
        updated_at = u.updated_at
    FROM u
    WHERE a.id = u.id AND (a.version, a.updated_at) < (u.version, u.updated_at))
SELECT u.id
FROM u
LEFT JOIN accounts a ON a.id = u.id
WHERE a.id IS NULL
    OR ((a.version, a.updated_at) = (u.version, u.updated_at)
        AND (a.balance, a.held, a.fraction) <> (u.balance, u.held, u.fraction))
