-- Lays aside what can be neither drained nor synced, so that it is not tried for ever.
--   KEYS    the dead letters, what is due, what is claimed, by whom: of one ledger, under one tag
--   ARGV    1 now in ms   2 why   3 the member: an address, or the position of an entry
--           4 what it held   5 the owner's token, empty for an entry of the journal
--   →  1 buried, 0 the claim is no longer the owner's
if ARGV[5] ~= '' then
    if redis.call('HGET', KEYS[4], ARGV[3]) ~= ARGV[5] then return 0 end
    redis.call('HDEL', KEYS[4], ARGV[3])
    redis.call('ZREM', KEYS[3], ARGV[3])
    redis.call('ZREM', KEYS[2], ARGV[3])
end
redis.call('XADD', KEYS[1], '*', 'at', ARGV[1], 'why', ARGV[2], 'member', ARGV[3], 'held', ARGV[4])
return 1
