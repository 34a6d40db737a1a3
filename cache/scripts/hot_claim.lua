-- Claims accounts that are due for the sync, each for one owner at a time.
--   KEYS    the books, what is due, what is claimed, by whom: of one ledger, under one hash tag
--   ARGV    1 the epoch that the caller works for   2 now in ms   3 those changed up to then are
--           due, in ms   4 how many at most   5 the owner's token   6 its lease in ms
--   →  {"claimed", drained, and of each its address and its line, or "" where it has none};
--      {"superseded"}: the books are of another epoch, or gone
-- An address is due or claimed, never both: what others have claimed is in nobody's way. Claims
-- whose lease is over are due again.
local head = redis.pcall('HMGET', KEYS[1], '#epoch', '#drained')
if head[1] ~= ARGV[1] or not head[2] then return {'superseded'} end
local over = redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', ARGV[2], 'WITHSCORES', 'LIMIT', 0,
    ARGV[4])
for i = 1, #over, 2 do
    redis.call('ZREM', KEYS[3], over[i])
    redis.call('HDEL', KEYS[4], over[i])
    redis.call('ZADD', KEYS[2], over[i + 1] - tonumber(ARGV[6]), over[i])
end
local claimed = {'claimed', head[2]}
local ends = string.format('%.0f', tonumber(ARGV[2]) + tonumber(ARGV[6]))
local due = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', ARGV[3], 'LIMIT', 0, ARGV[4])
for _, address in ipairs(due) do
    redis.call('ZREM', KEYS[2], address)
    redis.call('ZADD', KEYS[3], ends, address)
    redis.call('HSET', KEYS[4], address, ARGV[5])
    claimed[#claimed + 1] = address
    claimed[#claimed + 1] = redis.call('HGET', KEYS[1], address) or ''
end
return claimed
