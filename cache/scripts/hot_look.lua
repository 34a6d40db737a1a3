-- How far a hot ledger is.
--   KEYS    the books, the journal, what is due, what is claimed, the dead letters
--   →  {process, epoch, position, drained, the oldest entry or "", due, since when in ms or "",
--      claimed, dead letters, when balances were last written in ms or "", the base of new books
--      while rows of the store may be behind their transfers or ""}; {} without books
local head = redis.pcall('HMGET', KEYS[1], '#', '#epoch', '#drained', '#flushed', '#unmended')
local process, position = string.match(head[1] or '', '^(%S+) %d+ (%d+) ')
if not process or not head[2] or not head[3] then return {} end
local entry = redis.call('XRANGE', KEYS[2], '(' .. head[3] .. '-0', '+', 'COUNT', 1)[1]
local oldest = redis.call('ZRANGE', KEYS[3], 0, 0, 'WITHSCORES')
return {process, head[2], position, head[3], entry and entry[2][2] or '',
    math.max(redis.call('ZCARD', KEYS[3]) - 1, 0), oldest[1] ~= '' and oldest[2] or '',
    redis.call('ZCARD', KEYS[4]), redis.call('XLEN', KEYS[5]), head[4] or '', head[5] or ''}
