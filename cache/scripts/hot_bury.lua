-- Lays aside what can be neither drained nor synced, so that it is not tried for ever.
--   KEYS    the dead letters, and the journal; or what is due, what is claimed, by whom: of one
--           ledger, under one hash tag
--   ARGV    1 now in ms   2 why   3 the member: the id of an entry of the journal; or an address,
--           4 what it held   5 the token of whoever claimed it
--   →  1 buried, 0 the entry is not there any more, the claim is no longer the owner's
-- What is laid aside may be the only record of what was answered, so none makes room for another:
-- where there are too many, nothing is, and whoever wanted to tries again.
local held = ARGV[4]
local is_entry = #KEYS == 2
if is_entry then
    local entry = redis.call('XRANGE', KEYS[2], ARGV[3], ARGV[3])[1]
    if not entry then return 0 end
    held = table.concat(entry[2], '\n')
elseif redis.call('HGET', KEYS[4], ARGV[3]) ~= ARGV[5] then
    return 0
end
if redis.call('XLEN', KEYS[1]) >= 10000 then
    return redis.error_reply('FULL 10000 dead letters are to be looked at and removed')
end
redis.call('XADD', KEYS[1], '*', 'at', ARGV[1], 'why', ARGV[2], 'member', ARGV[3], 'held', held)
if is_entry then
    redis.call('XACK', KEYS[2], 'drain', ARGV[3])
    redis.call('XDEL', KEYS[2], ARGV[3])
else
    redis.call('HDEL', KEYS[4], ARGV[3])
    redis.call('ZREM', KEYS[3], ARGV[3])
    redis.call('ZREM', KEYS[2], ARGV[3])
end
return 1
