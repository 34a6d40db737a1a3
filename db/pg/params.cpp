#include "db/pg/params.hpp"

#include "domain/assert.hpp"

namespace penstock::db::pg {

Params& Params::xid8(std::uint64_t value) {
    std::size_t const at = bytes_.size();
    encode(kind::Int8{}, static_cast<std::int64_t>(value), bytes_);
    return note(oid::xid8, at);
}

Params::Item Params::operator[](std::size_t index) const {
    auto const& value = values_.at(index);
    if (value.null) return {value.type, nullptr, 0};
    return {value.type, bytes_.data() + value.offset, value.length};
}

Params& Params::note(Oid type, std::size_t offset) {
    values_.push_back({type, false, offset, bytes_.size() - offset});
    return *this;
}

Params& Params::note_null(Oid type) {
    values_.push_back({type, true, 0, 0});
    return *this;
}

}  // namespace penstock::db::pg
