-- Opens the books of a hot ledger for a process of Redis: as they are, if nothing is missing, else
-- new ones that accounts are loaded into.
--   KEYS    the books, the journal, what is due for the sync, what is claimed, by whom, the holds:
--           of one ledger, under one hash tag
--   ARGV    1 the process of Redis   2 the epoch that the store has just begun for this   3 the
--           position up to which the store has the journal   4 since when, in ms, new books know
--           every key that is used
--   →  {"open", position}; {"built", the position of the old books or ""}
--      {"sealed", first, last}: these books cannot be used, but their journal has entries that the
--      store lacks: nothing is posted until they are drained and the ledger is opened again, in
--      another epoch
--      {"superseded"}: somebody began a later epoch, or has opened this one
-- Whoever worked for an earlier epoch is refused by the store from now on, so what it still has in
-- its hands, drained or claimed, does no harm. That is why entries are handed out again.
local head = redis.pcall('HMGET', KEYS[1], '#', '#epoch')
local process, base, position, rest = string.match(head[1] or '', '^(%S+) (%d+) (%d+)( .+)$')
local epoch, drained = tonumber(head[2]), tonumber(ARGV[3])
local is_sealed = process == 'sealed'
if epoch and epoch >= tonumber(ARGV[2]) then return {'superseded'} end

local function begin_epoch(line)
    redis.call('HSET', KEYS[1], '#', line, '#epoch', ARGV[2], '#drained', ARGV[3])
    redis.pcall('XGROUP', 'DESTROY', KEYS[2], 'drain')
    redis.call('XGROUP', 'CREATE', KEYS[2], 'drain', ARGV[3] .. '-0', 'MKSTREAM')
end

-- The first entry that the store lacks, and after which position it comes.
local undrained = redis.pcall('XRANGE', KEYS[2], string.format('%.0f-0', drained + 1), '+',
    'COUNT', 1)
local first = not undrained.err and undrained[1] or nil
local after = first and tonumber(string.match(first[2][2] or '', '^%d+'))

if epoch and position and not is_sealed and not undrained.err and tonumber(position) >= drained and
    (first and after or tonumber(position)) == drained and
    redis.pcall('ZSCORE', KEYS[3], '') == 'inf' and redis.pcall('HGET', KEYS[6], '') == base then
    redis.call('XTRIM', KEYS[2], 'MINID', string.format('%.0f-0', drained + 1))
    begin_epoch(ARGV[1] .. ' ' .. base .. ' ' .. position .. rest)
    return {'open', position}
end
if first then
    if head.err then redis.call('UNLINK', KEYS[1]) end
    begin_epoch('sealed ' .. (base or '0') .. ' ' .. (position or '0') .. (rest or ' 0 0 0'))
    return {'sealed', first[1], redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)[1][1]}
end
redis.call('UNLINK', unpack(KEYS))
redis.call('HSET', KEYS[1], '#removed', '0')
-- Whoever came home without his balance is in no schedule any more.
if drained > 0 then redis.call('HSET', KEYS[1], '#unmended', ARGV[2]) end
redis.call('ZADD', KEYS[3], 'inf', '')
redis.call('HSET', KEYS[6], '', ARGV[2])
begin_epoch(table.concat({ARGV[1], ARGV[2], ARGV[3], '0', '0', ARGV[4]}, ' '))
return {'built', position or ''}
