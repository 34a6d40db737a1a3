-- What the links of downloads are signed with. A table of one row.
SELECT s.secret FROM export_secrets s WHERE s.is_only
