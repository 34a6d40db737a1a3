-- Does the server answer? Touches no table.
SELECT 1
