-- Every account of the store was looked at, so none is behind that new books do not know of.
--   KEYS    the books   ARGV    1 the base of the books for which that was done
--   →  1, 0 if these books were built anew since
if redis.pcall('HGET', KEYS[1], '#unmended') ~= ARGV[1] then return 0 end
return redis.call('HDEL', KEYS[1], '#unmended')
