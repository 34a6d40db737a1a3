-- Posts to a hot ledger: judged, booked, journalled and scheduled for the sync, all or nothing.
--   KEYS    the books, the journal, what is due for the sync, the holds, the record of the
--           idempotency key: of one ledger, under one hash tag
--   ARGV    1 the process of Redis that the caller talks to   2 now in ms   3 a nonce, 14 hex
--           digits   4 the fingerprint, empty without a key   5 how long a key is kept, in ms
--           6 the base under which the store was asked for the key, empty if it was not
--           7 how many items may wait for the drain   8 "implicit" or "explicit"
--           9 "all" or "each"   10 what the journal shall say of the request
--           11 how many addresses are known to be nobody's; these; then of each item: a verb,
--           two names, an amount, a term in ms, and what the journal shall say of it
--     move     from, to, the amount
--     hold     from, to, the amount, the term (empty: for ever)
--     capture  the hold, "", the amount (empty: all of it)
--     void, expire  the hold
--   →  {"posted", position, entry} as the journal has it; {"again", position, entry} of the key's
--      first use; {"known"}: the key was used and the store has it; {"reused"}
--      {"refused", item from 0, code, the member or the state at fault}: nothing was done
--      {"nothing"}: not one item, of a request without a key, could be done
--      {"cold", token, "address" or "hold", names}: to be loaded from the store first
--      {"ask", base}: whether the store knows the key; {"busy"}; {"unready"}: to be opened first
-- Lua counts in doubles. Balances and amounts stay within 2^53 - 1, and every sum below is of two
-- numbers whose exact result is within 2^53, or rounds to what is still refused.
local most, unpack_max = 9007199254740991, 4000
local print, is_implicit, together = ARGV[4], ARGV[8] == 'implicit', ARGV[9] == 'all'
local now, first = tonumber(ARGV[2]), 12 + tonumber(ARGV[11])

local function text_of(number) return string.format('%.0f', number) end
local function some_of(list) return unpack(list, 1, math.min(#list, unpack_max)) end

local items, touches_holds = {}, false
for i = first, #ARGV, 6 do
    local verb = ARGV[i]
    touches_holds = touches_holds or verb ~= 'move'
    items[#items + 1] = {verb = verb, from = ARGV[i + 1], to = ARGV[i + 2],
        amount = tonumber(ARGV[i + 3]), term = tonumber(ARGV[i + 4]), said = ARGV[i + 5]}
end

-- The holds that are to be ended: they say whose money it is.
local holds, cold_holds, holds_base = {}, {}, nil
if touches_holds then holds_base = redis.pcall('HGET', KEYS[4], '') end
for _, item in ipairs(items) do
    if item.verb ~= 'move' and item.verb ~= 'hold' and type(holds_base) == 'string' then
        local kept = redis.call('HGET', KEYS[4], item.from)
        local state, rest, amount, until_when, from, to = string.match(kept or '',
            '^([pcvx]) ((%d+) (%S+) %S+ %S+ (%S+) (%S+)) %S+ %S+ %S+$')
        if state then
            holds[item.from] = {state = state, amount = tonumber(amount), from = from, to = to,
                until_when = tonumber(until_when), rest = rest}
        elseif kept then
            return redis.error_reply('GARBLED hold ' .. item.from)
        else
            cold_holds[#cold_holds + 1] = item.from
        end
    end
end

-- The ledger and its accounts; false for an address that is nobody's.
local accounts, names = {}, {'#', '#drained'}
for i = 12, first - 1 do accounts[ARGV[i]] = false end
for _, item in ipairs(items) do
    local parties = holds[item.from] or item
    if accounts[parties.from] == nil then
        accounts[parties.from], names[#names + 1] = true, parties.from
    end
    if accounts[parties.to] == nil then
        accounts[parties.to], names[#names + 1] = true, parties.to
    end
end
local head = redis.pcall('HMGET', KEYS[1], some_of(names))
local process, base, position, at, ordinal, keys_from =
    string.match(head[1] or '', '^(%S+) (%d+) (%d+) (%d+) (%d+) (%d+)$')
local drained = tonumber(head[2])
if process ~= ARGV[1] or not drained or (touches_holds and holds_base ~= base) then
    return {'unready'}
end
position, at, ordinal = tonumber(position), tonumber(at), tonumber(ordinal)

-- What the key says before any rule is asked. A record from before the books were last built says
-- nothing: what it speaks of is in the store, which is asked then, or was lost with the books.
if print ~= '' then
    local kept = redis.call('GET', KEYS[5])
    if kept then
        local its_print, its_base, place = string.match(kept, '^(%x+) (%d+) (%d+)$')
        if not its_print then return redis.error_reply('GARBLED record of a key') end
        if its_base == base then
            if its_print ~= print then return {'reused'} end
            local entry = redis.call('XRANGE', KEYS[2], place .. '-0', place .. '-0')[1]
            if entry then return {'again', place, entry[2][2]} end
            return {'known'}
        end
    end
    if ARGV[6] ~= base and now - tonumber(keys_from) < tonumber(ARGV[5]) then
        return {'ask', base}
    end
end
if position - drained >= tonumber(ARGV[7]) then return {'busy'} end

local cold = {}
local function take_account(name, line)
    local mark, balance, held, version, limit, id = string.match(line or '',
        '^([cd]) (%-?%d+) (%d+) (%d+) (%d+) %d+ %d+ (%S+)$')
    if not mark then
        accounts[name], cold[#cold + 1] = nil, name
        return not line
    end
    accounts[name] = {mark = mark, balance = tonumber(balance), held = tonumber(held),
        version = tonumber(version), limit = tonumber(limit), id = id, balance_text = balance,
        held_text = held, version_text = version, limit_text = limit}
    return true
end
local found, from_here = head, 0
for i = 3, #names do
    if i - from_here > unpack_max then
        from_here = from_here + unpack_max
        found = redis.call('HMGET', KEYS[1],
            unpack(names, from_here + 1, math.min(from_here + unpack_max, #names)))
    end
    if not take_account(names[i], found[i - from_here]) then
        return redis.error_reply('GARBLED account ' .. names[i])
    end
end

local function opens_by_itself(name)
    return is_implicit and string.sub(name, 1, 1) ~= '@'
end
local function has_funds(name, payer, amount)
    return name == '@world' or payer.balance - payer.held >= amount - payer.limit
end

-- What is refused whoever the cold ones are. Where accounts open by themselves a payee is opened
-- only for someone who can pay.
local function refuse_early(item)
    if item.from == item.to then return 'self_transfer', 'to' end
    local payer = accounts[item.from]
    if payer == nil then return nil end
    if not payer then
        if opens_by_itself(item.from) then return 'insufficient_funds', '' end
        return 'account_not_found', 'from'
    end
    if opens_by_itself(item.to) and not has_funds(item.from, payer, item.amount) then
        return 'insufficient_funds', ''
    end
end
if #cold > 0 or #cold_holds > 0 then
    local code, where
    if together and #items == 1 and #cold_holds == 0 then
        code, where = refuse_early(items[1])
    end
    if code then return {'refused', 0, code, where} end
    local token = base .. ':' .. (redis.call('HGET', KEYS[1], '#removed') or '')
    if #cold_holds > 0 then return {'cold', token, 'hold', some_of(cold_holds)} end
    return {'cold', token, 'address', some_of(cold)}
end

-- Each id has a place within its millisecond, and an item may need two: its row's, its event's.
if now > at then at, ordinal = now, 0 end
if ordinal + 2 * #items > 262143 then at, ordinal = at + 1, 0 end
local after, place, at_text = text_of(position), text_of(position + #items), text_of(at)
local said = {after .. ' ' .. at_text .. ' ' .. ordinal .. ' ' .. ARGV[3] .. '\n' .. ARGV[10]}
local function next_id()
    local ms = string.format('%012x', at)
    return string.format('%s-%s-7%03x-%02x%s-%s', string.sub(ms, 1, 8), string.sub(ms, 9),
        math.floor(ordinal / 64), 128 + ordinal % 64, string.sub(ARGV[3], 1, 2),
        string.sub(ARGV[3], 3))
end

-- The rules. Each does everything and says what the journal shall, or does nothing and returns
-- nil, a code, and the member or the state at fault.
local touched, hold_lines = {}, {}
local function parties_of(from, to)
    if from == to then return nil, 'self_transfer', 'to' end
    local payer, payee = accounts[from], accounts[to]
    if not payer then
        if opens_by_itself(from) then return nil, 'insufficient_funds', '' end
        return nil, 'account_not_found', 'from'
    end
    if not payee then return nil, 'account_not_found', 'to' end
    return payer, payee
end
local function stand(name, account, balance)
    account.balance, account.version = balance, account.version + 1
    account.balance_text, account.version_text = text_of(balance), text_of(account.version)
    touched[name] = account
    return account.id .. ' ' .. account.balance_text .. ' ' .. account.version_text
end
local function hold_back(name, account, held)
    account.held, account.held_text = held, text_of(held)
    touched[name] = account
end
local function book(from, to, payer, payee, amount)
    if payer.balance - amount < -most or payee.balance + amount > most then
        return nil, 'amount_overflow', ''
    end
    return 'move ' .. from .. ' ' .. to .. ' ' .. text_of(amount) .. ' ' ..
        stand(from, payer, payer.balance - amount) .. ' ' ..
        stand(to, payee, payee.balance + amount) .. '\n'
end

local apply = {}
function apply.move(item)
    local payer, payee, where = parties_of(item.from, item.to)
    if not payer then return nil, payee, where end
    if not has_funds(item.from, payer, item.amount) then return nil, 'insufficient_funds', '' end
    return book(item.from, item.to, payer, payee, item.amount)
end
function apply.hold(item)
    local payer, payee, where = parties_of(item.from, item.to)
    if not payer then return nil, payee, where end
    if not has_funds(item.from, payer, item.amount) then return nil, 'insufficient_funds', '' end
    if payer.held + item.amount > most then return nil, 'amount_overflow', '' end
    hold_back(item.from, payer, payer.held + item.amount)
    local id, line = next_id(), table.concat({'p', text_of(item.amount),
        item.term and text_of(at + item.term) or '-', payer.id, payee.id, item.from, item.to,
        '- - -'}, ' ')
    hold_lines[#hold_lines + 1], hold_lines[#hold_lines + 2] = id, line
    return 'hold ' .. id .. ' ' .. line .. '\n'
end
local words = {c = 'captured', v = 'voided', x = 'expired'}
local function refuse_end(item, hold)
    if hold.state ~= 'p' then return 'illegal_transition', words[hold.state] end
    local is_over = hold.until_when and hold.until_when <= at or false
    if is_over ~= (item.verb == 'expire') then
        return 'illegal_transition', is_over and 'expired' or 'pending'
    end
end
local function end_hold(item, hold, state, taken)
    hold_back(hold.from, accounts[hold.from], accounts[hold.from].held - hold.amount)
    hold.state = state
    local line = table.concat({state, hold.rest, at_text, taken}, ' ')
    hold_lines[#hold_lines + 1], hold_lines[#hold_lines + 2] = item.from, line
    return item.verb .. ' ' .. item.from .. ' ' .. line .. '\n'
end
function apply.capture(item)
    local hold = holds[item.from]
    local code, state = refuse_end(item, hold)
    if code then return nil, code, state end
    local amount = item.amount or hold.amount
    if amount > hold.amount then return nil, 'over_capture', 'amount' end
    local booked, why, where = book(hold.from, hold.to, accounts[hold.from], accounts[hold.to],
        amount)
    if not booked then return nil, why, where end
    return end_hold(item, hold, 'c', text_of(amount) .. ' ' .. next_id()) .. booked
end
function apply.void(item)
    local code, state = refuse_end(item, holds[item.from])
    if code then return nil, code, state end
    return end_hold(item, holds[item.from], 'v', '- -')
end
function apply.expire(item)
    local code, state = refuse_end(item, holds[item.from])
    if code then return nil, code, state end
    return end_hold(item, holds[item.from], 'x', '- -')
end

for i, item in ipairs(items) do
    local line, code, where = apply[item.verb](item)
    if line then
        said[#said + 1], said[#said + 2] = line, item.said
    elseif together then
        return {'refused', i - 1, code, where}
    else
        said[#said + 1] = 'refused ' .. code .. '\n'
    end
    ordinal = ordinal + 2
end
if print == '' and next(touched) == nil then return {'nothing'} end

-- Everything is decided. What can fail, for its key holds something else, comes before all else.
local to_schedule = {}
local lines = {'#', table.concat({process, base, place, at_text, text_of(ordinal), keys_from}, ' ')}
for name, account in pairs(touched) do
    lines[#lines + 1] = name
    lines[#lines + 1] = 'd ' .. account.balance_text .. ' ' .. account.held_text .. ' ' ..
        account.version_text .. ' ' .. account.limit_text .. ' ' .. at_text .. ' ' .. place ..
        ' ' .. account.id
    if account.mark == 'c' then
        to_schedule[#to_schedule + 1], to_schedule[#to_schedule + 2] = ARGV[2], name
    end
end
if #to_schedule > 0 and redis.pcall('ZSCORE', KEYS[3], '') ~= 'inf' then return {'unready'} end
local entry = table.concat(said)
redis.call('XADD', KEYS[2], place .. '-0', 'entry', entry)
local function write(command, key, list)
    for begin = 1, #list, unpack_max do
        redis.call(command, key, unpack(list, begin, math.min(begin + unpack_max - 1, #list)))
    end
end
write('HSET', KEYS[1], lines)
write('ZADD', KEYS[3], to_schedule)
write('HSET', KEYS[4], hold_lines)
if print ~= '' then
    redis.call('SET', KEYS[5], print .. ' ' .. base .. ' ' .. place, 'PX', ARGV[5])
end
return {'posted', place, entry}
