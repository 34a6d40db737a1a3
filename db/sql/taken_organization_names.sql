-- Which of these names have organizations taken? A name taken meanwhile fails the insert, and the
-- batch is decided again. Unique index on name.
SELECT o.name FROM unnest($1) k (name) JOIN organizations o ON o.name = k.name
