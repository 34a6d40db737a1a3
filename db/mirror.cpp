// HOW rows of any table get from one database into another.
//
// The statements are made from the catalog, so that a new column or table needs none of its own.
// Rows travel as arrays of a table's row type in their text form: both databases have the same
// migrations, so their rows have the same columns in the same order.
#include "db/mirror.hpp"

#include <algorithm>
#include <atomic>

#include "db/sql.hpp"
#include "domain/assert.hpp"

namespace penstock::db::mirror {
namespace {

constexpr Listed tables[] = {
    {"organizations"},
    {"api_keys", 2'000, "organizations"},
    {"ledgers", 2'000, "organizations"},
    {"accounts"},
    {"transfers"},
    {"ledger_totals"},
    {"purchases"},
    {"holds"},
    {"events"},
    {"answers", 500},
    {"jobs", 500},
    {"products"},
    {"orders"},
    {"credit_ledgers"},
    {"credit_operations"},
    {"credit_entries"},
    {"credit_lots"},
    {"streams"},
    {"hot_ledgers"},
    {"exports"},
    {"export_audit"},
    {"export_chunks", 4},  // of megabytes
    {"export_secrets"},
};

constexpr std::string_view own[] = {"schema_migrations"};

/// How often rows may stand in each other's way in turn.
constexpr int clearings_max = 4;
constexpr milliseconds rollback_max{5'000};

std::string join(std::vector<std::string> const& parts, std::string_view between) {
    std::string all;
    for (auto const& part : parts) {
        if (!all.empty()) all += between;
        all += part;
    }
    return all;
}

std::string parameter(std::size_t number) { return '$' + std::to_string(number); }

/// Column by column, as the statements about several rows take them.
void add_columns(pg::Params& params, std::vector<Key> const& keys, std::size_t width) {
    for (std::size_t part = 0; part < width; ++part) {
        pg::TextArray column;
        for (auto const& key : keys) column.push(key[part]);
        params.add(column);
    }
}

void add_bounds(pg::Params& params, Range const& range) {
    for (auto const* bound : {&range.after, &range.upto}) {
        if (!*bound) continue;
        for (auto const& part : **bound) params.text(part);
    }
}

std::string shape_of(Range const& range) {
    return std::string(range.after ? "_after" : "") + (range.upto ? "_upto" : "");
}

}  // namespace

std::span<Listed const> listed_tables() { return tables; }
std::span<std::string_view const> own_tables() { return own; }

Table::Table(Listed const& listed, Columns columns, std::vector<Names> uniques,
             std::string const& edition)
    : listed_(listed),
      name_(listed.name),
      columns_(std::move(columns)),
      uniques_(std::move(uniques)),
      edition_(edition) {
    PENSTOCK_ASSERT(!uniques_.empty());
}

bool Table::same_shape(Table const& other) const {
    auto const same = [](Column const& a, Column const& b) {
        return a.name == b.name && a.type == b.type;
    };
    return name_ == other.name_ && uniques_ == other.uniques_ &&
           std::equal(columns_.begin(), columns_.end(), other.columns_.begin(),
                      other.columns_.end(), same);
}

std::optional<Key> Table::key_among(Fields const& fields) const {
    Key parts;
    for (auto const& column : key()) {
        auto const field = std::find_if(fields.begin(), fields.end(),
                                        [&](auto const& one) { return one.first == column; });
        if (field == fields.end()) return std::nullopt;
        parts.push_back(field->second);
    }
    return parts;
}

template <class Make>
Statement const& Table::statement(std::string what, Make make) const {
    auto& kept = statements_[what];
    if (!kept) {
        kept = std::make_unique<Text>();
        kept->name = "mirror_" + what + '_' + name_ + edition_;
        kept->text = make();
        kept->statement = Statement{kept->name, kept->text};
    }
    return kept->statement;
}

std::string Table::key_list(std::string_view alias) const {
    std::vector<std::string> parts;
    for (auto const& column : key())
        parts.push_back((alias.empty() ? "" : std::string(alias) + '.') + column);
    return join(parts, ", ");
}

std::string Table::key_texts(std::string_view alias) const {
    std::vector<std::string> parts;
    for (auto const& column : key())
        parts.push_back((alias.empty() ? "" : std::string(alias) + '.') + column + "::text");
    return "ARRAY[" + join(parts, ", ") + "]";
}

/// Of a range, over parameters from `first` on.
std::string Table::condition(Range const& range, std::size_t first) const {
    auto const bound = [&](char const* comparison) {
        std::vector<std::string> parts;
        for (auto const& name : key()) {
            auto const column = std::find_if(columns_.begin(), columns_.end(),
                                             [&](Column const& one) { return one.name == name; });
            parts.push_back(parameter(first++) + "::text::" + column->type);
        }
        return '(' + key_list("t") + ") " + comparison + " (" + join(parts, ", ") + ')';
    };
    std::vector<std::string> all;
    if (range.after) all.push_back(bound(">"));
    if (range.upto) all.push_back(bound("<="));
    return all.empty() ? "true" : join(all, " AND ");
}

/// Keys as a table k, and that its rows are those of t; over parameters from `first` on.
std::string Table::joined(std::size_t first) const {
    std::vector<std::string> arrays, names, same;
    for (auto const& name : key()) {
        auto const column = std::find_if(columns_.begin(), columns_.end(),
                                         [&](Column const& one) { return one.name == name; });
        arrays.push_back(parameter(first++) + "::text[]::" + column->type + "[]");
        names.push_back("k" + std::to_string(names.size()));
        same.push_back("t." + name + " = k." + names.back());
    }
    return "unnest(" + join(arrays, ", ") + ") k (" + join(names, ", ") + ")\nWHERE " +
           join(same, " AND ");
}

std::size_t Table::add_page(pg::Segment& segment, std::optional<Key> const& after) const {
    Range const range{after, std::nullopt};
    auto const make = [&] {
        return "WITH p AS MATERIALIZED (SELECT * FROM " + name_ + " t WHERE " +
               condition(range, 2) + " ORDER BY " + key_list("t") +
               " LIMIT $1)\nSELECT count(*), coalesce(md5(string_agg(md5(p::text), '' ORDER BY " +
               key_list("p") + ")), ''), (SELECT " + key_texts() + " FROM p ORDER BY " +
               join(key(), " DESC, ") + " DESC LIMIT 1) FROM p";
    };
    pg::Params params;
    params.int8(static_cast<std::int64_t>(listed_.page_rows));
    add_bounds(params, range);
    return segment.add(statement("page" + shape_of(range), make), std::move(params));
}

std::size_t Table::add_digest(pg::Segment& segment, Range const& range) const {
    auto const make = [&] {
        return "SELECT count(*), coalesce(md5(string_agg(md5(t::text), '' ORDER BY " +
               key_list("t") + ")), '') FROM " + name_ + " t WHERE " + condition(range, 1);
    };
    pg::Params params;
    add_bounds(params, range);
    return segment.add(statement("digest" + shape_of(range), make), std::move(params));
}

std::size_t Table::add_row_digests(pg::Segment& segment, Range const& range) const {
    auto const make = [&] {
        return "SELECT " + key_texts("t") + ", md5(t::text) FROM " + name_ + " t WHERE " +
               condition(range, 1) + " ORDER BY " + key_list("t");
    };
    pg::Params params;
    add_bounds(params, range);
    return segment.add(statement("rows" + shape_of(range), make), std::move(params));
}

std::size_t Table::add_digests_of(pg::Segment& segment, std::vector<Key> const& keys,
                                  bool locked) const {
    auto const make = [&] {
        return "SELECT " + key_texts("t") + ", md5(t::text) FROM " + name_ + " t, " + joined(1) +
               (locked ? "\nFOR UPDATE OF t" : "");
    };
    pg::Params params;
    add_columns(params, keys, key().size());
    return segment.add(statement(locked ? "locked_rows_of" : "rows_of", make), std::move(params));
}

bool Table::has_idempotency_keys() const {
    return std::any_of(columns_.begin(), columns_.end(),
                       [](Column const& one) { return one.name == "idempotency_key"; });
}

std::size_t Table::add_carriers(pg::Segment& segment, std::vector<std::string> const& keys) const {
    auto const make = [&] {
        return "SELECT " + key_texts("t") + " FROM " + name_ +
               " t, unnest($1::text[]::uuid[]) k (k) WHERE t.idempotency_key = k.k";
    };
    pg::TextArray wanted;
    for (auto const& key : keys) wanted.push(key);
    pg::Params params;
    params.add(wanted);
    return segment.add(statement("carriers", make), std::move(params));
}

std::size_t Table::add_row_text(pg::Segment& segment, Key const& wanted) const {
    auto const make = [&] {
        std::vector<std::string> parts;
        for (auto const& column : columns_) parts.push_back("t." + column.name + "::text");
        return "SELECT ARRAY[" + join(parts, ", ") + "] FROM " + name_ + " t, " + joined(1);
    };
    pg::Params params;
    add_columns(params, {wanted}, key().size());
    return segment.add(statement("text_of", make), std::move(params));
}

std::size_t Table::add_images(pg::Segment& segment, Range const& range) const {
    auto const make = [&] {
        return "SELECT count(*), coalesce(array_agg(t)::text, '{}') FROM " + name_ + " t WHERE " +
               condition(range, 1);
    };
    pg::Params params;
    add_bounds(params, range);
    return segment.add(statement("images" + shape_of(range), make), std::move(params));
}

std::size_t Table::add_images_of(pg::Segment& segment, std::vector<Key> const& keys) const {
    auto const make = [&] {
        return "SELECT count(*), coalesce(array_agg(t)::text, '{}') FROM " + name_ + " t, " +
               joined(1);
    };
    pg::Params params;
    add_columns(params, keys, key().size());
    return segment.add(statement("images_of", make), std::move(params));
}

std::string Table::write_text() const {
    std::vector<std::string> rest, excluded;
    for (auto const& column : columns_) {
        if (std::find(key().begin(), key().end(), column.name) != key().end()) continue;
        rest.push_back(column.name);
        excluded.push_back("excluded." + column.name);
    }
    auto text = "INSERT INTO " + name_ + " AS t SELECT * FROM unnest($1::text::" + name_ +
                "[])\nON CONFLICT (" + key_list() + ") DO ";
    if (rest.empty()) return text + "NOTHING";
    return text + "UPDATE SET (" + join(rest, ", ") + ") = ROW(" + join(excluded, ", ") +
           ")\nWHERE ROW(t.*) IS DISTINCT FROM ROW(excluded.*)";
}

void Table::add_write(pg::Segment& segment, std::string_view images) const {
    auto const make = [&] { return write_text(); };
    pg::Params params;
    params.text(images);
    segment.add(statement("write", make), std::move(params));
}

void Table::add_removal(pg::Segment& segment, Range const& range, std::string_view images) const {
    auto const make = [&] {
        return "DELETE FROM " + name_ + " t WHERE " + condition(range, 2) + " AND (" +
               key_list("t") + ") NOT IN (SELECT " + key_list("n") +
               " FROM unnest($1::text::" + name_ + "[]) n)";
    };
    pg::Params params;
    params.text(images);
    add_bounds(params, range);
    segment.add(statement("remove" + shape_of(range), make), std::move(params));
}

void Table::add_removal_of(pg::Segment& segment, std::vector<Key> const& keys,
                           std::string_view images) const {
    auto const make = [&] {
        return "DELETE FROM " + name_ + " t USING " + joined(2) + " AND (" + key_list("t") +
               ") NOT IN (SELECT " + key_list("n") + " FROM unnest($1::text::" + name_ + "[]) n)";
    };
    pg::Params params;
    params.text(images);
    add_columns(params, keys, key().size());
    segment.add(statement("remove_of", make), std::move(params));
}

std::string Table::clearing_text(Names const& unique) const {
    std::vector<std::string> same;
    for (auto const& column : unique) same.push_back("t." + column + " = n." + column);
    return "DELETE FROM " + name_ + " t USING unnest($1::text::" + name_ + "[]) n WHERE " +
           join(same, " AND ") + " AND (" + key_list("t") + ") <> (" + key_list("n") +
           ") RETURNING " + key_texts("t");
}

std::vector<std::size_t> Table::add_clearing(pg::Segment& segment, std::string_view images) const {
    std::vector<std::size_t> places;
    for (std::size_t i = 1; i < uniques_.size(); ++i) {
        auto const make = [&] { return clearing_text(uniques_[i]); };
        pg::Params params;
        params.text(images);
        places.push_back(
            segment.add(statement("clear" + std::to_string(i), make), std::move(params)));
    }
    return places;
}

Table const* Catalog::find(std::string_view name) const {
    for (auto const& table : tables_)
        if (table->name() == name) return table.get();
    return nullptr;
}

bool Catalog::same_shape(Catalog const& other) const {
    auto const same = [](auto const& a, auto const& b) { return a->same_shape(*b); };
    return std::equal(tables_.begin(), tables_.end(), other.tables_.begin(), other.tables_.end(),
                      same);
}

Key read_key(pg::Row row, int column) { return row.texts(column); }

asio::awaitable<Result<std::shared_ptr<Catalog const>>> read_catalog(pg::Session& session,
                                                                     SteadyTime deadline) {
    pg::Segment segment;
    auto const columns_at = segment.add(sql::mirror_columns);
    auto const uniques_at = segment.add(sql::mirror_uniques);
    auto const answer = co_await session.execute(std::move(segment), deadline);
    if (!answer) co_return answer.error().code;
    // Statements of two catalogs on one connection must not share their names.
    static std::atomic<int> editions{0};
    auto const edition = "_e" + std::to_string(++editions);
    auto read = [&] {
        std::map<std::string, Table::Columns> columns;
        for (pg::Row const row : answer->at(columns_at))
            columns[std::string(row.text(0))].push_back(
                {std::string(row.text(1)), std::string(row.text(2))});
        std::map<std::string, std::vector<Table::Names>> uniques;
        std::int64_t last = 0;
        for (pg::Row const row : answer->at(uniques_at)) {
            auto& of_table = uniques[std::string(row.text(0))];
            if (row.int8(1) != last) of_table.emplace_back();
            last = row.int8(1);
            of_table.back().emplace_back(row.text(2));
        }
        auto catalog = std::make_shared<Catalog>();
        for (auto const& listed : tables) {
            std::string const name(listed.name);
            if (!uniques.contains(name)) continue;
            catalog->tables_.push_back(
                std::make_unique<Table>(listed, columns[name], uniques[name], edition));
        }
        return std::shared_ptr<Catalog const>(std::move(catalog));
    };
    co_return pg::decoded(read);
}

pg::Segment locked_transaction() {
    pg::Segment segment;
    segment.begin();
    segment.add(sql::mirror_lock);
    return segment;
}

namespace {

/// What the source has of a portion.
struct Images {
    std::int64_t count = 0;
    std::string text;
};

std::vector<Key> keys_of(Portion const& portion) {
    return {portion.keys.begin(), portion.keys.end()};
}

asio::awaitable<Result<std::vector<Images>>> read_images(pg::Session& source,
                                                         Portions const& portions,
                                                         SteadyTime deadline) {
    if (portions.empty()) co_return std::vector<Images>();
    pg::Segment segment;
    for (auto const& portion : portions) {
        if (portion.range)
            portion.table->add_images(segment, *portion.range);
        else
            portion.table->add_images_of(segment, keys_of(portion));
    }
    auto const answer = co_await source.execute(std::move(segment), deadline);
    if (!answer) co_return answer.error().code;
    auto read = [&] {
        std::vector<Images> images;
        for (auto const& rows : *answer)
            images.push_back({rows[0].int8(0), std::string(rows[0].text(1))});
        return images;
    };
    co_return pg::decoded(read);
}

/// Rows that stand in the way are taken out, and become portions of their own: they lie elsewhere
/// in the source, or have changed there.
asio::awaitable<Result<Portions>> clear(pg::Lease& target, Portions const& portions,
                                        std::vector<Images> const& images, SteadyTime deadline) {
    pg::Segment segment;
    std::vector<std::pair<Table const*, std::size_t>> places;
    for (std::size_t i = 0; i < portions.size(); ++i)
        for (auto const place : portions[i].table->add_clearing(segment, images[i].text))
            places.emplace_back(portions[i].table, place);
    Portions cleared;
    if (places.empty()) co_return cleared;
    auto const answer = co_await target.execute(std::move(segment), deadline);
    if (!answer) co_return answer.error().code;
    auto read = [&] {
        for (auto const& [table, place] : places) {
            std::set<Key> keys;
            for (pg::Row const row : answer->at(place)) keys.insert(read_key(row, 0));
            if (!keys.empty()) cleared.emplace_back(*table, std::move(keys));
        }
        return cleared;
    };
    co_return pg::decoded(read);
}

pg::Segment writing(Portions const& portions, std::vector<Images> const& images) {
    pg::Segment segment;
    // What is gone first, children before their parents: it may stand in the way of what is there.
    for (std::size_t i = portions.size(); i-- > 0;) {
        auto const& portion = portions[i];
        if (portion.range)
            portion.table->add_removal(segment, *portion.range, images[i].text);
        else if (images[i].count < static_cast<std::int64_t>(portion.keys.size()))
            portion.table->add_removal_of(segment, keys_of(portion), images[i].text);
    }
    for (std::size_t i = 0; i < portions.size(); ++i)
        if (images[i].count > 0) portions[i].table->add_write(segment, images[i].text);
    segment.commit();
    return segment;
}

asio::awaitable<Result<std::size_t>> copy_all(pg::Session& source, pg::Lease& target,
                                              Portions portions, bool thorough,
                                              SteadyTime deadline) {
    auto images = co_await read_images(source, portions, deadline);
    if (!images) co_return images.error();
    for (int round = 0; thorough && round < clearings_max; ++round) {
        auto cleared = co_await clear(target, portions, *images, deadline);
        if (!cleared) co_return cleared.error();
        if (cleared->empty()) break;
        portions.insert(portions.end(), cleared->begin(), cleared->end());
        images = co_await read_images(source, portions, deadline);
        if (!images) co_return images.error();
    }
    std::size_t rows = 0;
    for (auto const& one : *images) rows += static_cast<std::size_t>(one.count);
    auto const answer = co_await target.execute(writing(portions, *images), deadline);
    if (!answer) co_return answer.error().code;
    co_return rows;
}

}  // namespace

asio::awaitable<Result<std::size_t>> copy(pg::Session& source, pg::Lease target, Portions portions,
                                          bool thorough, SteadyTime deadline) {
    auto const copied = co_await copy_all(source, target, std::move(portions), thorough, deadline);
    if (copied) co_return copied;
    // A segment that failed was rolled back by the connection; what failed between two was not.
    pg::Segment segment;
    segment.add(pg::rollback);
    auto const answer = co_await target.execute(std::move(segment), steady_now() + rollback_max);
    if (!answer) target.drop("ROLLBACK was not answered");
    co_return copied;
}

}  // namespace penstock::db::mirror
