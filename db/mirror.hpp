// HOW rows of any table get from one database into another: which tables there are, and the
// statements that read, compare and copy a range of one or single rows of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "db/pg/session.hpp"

namespace penstock::db::mirror {

/// A table whose rows a move takes along.
struct Listed {
    std::string_view name;
    std::size_t page_rows = 2'000;  ///< of one comparison, and of one copy
    std::string_view parent = {};   ///< whose rows must be there first
};

/// Every table there is, in an order in which they can be filled: a test compares it with the
/// schema.
std::span<Listed const> listed_tables();

/// Tables that stay behind: what a database knows of itself.
std::span<std::string_view const> own_tables();

/// A row's primary key, part by part, as PostgreSQL writes it.
using Key = std::vector<std::string>;

/// after < key ≤ upto, in the order of the primary key; an end that is not there is open.
struct Range {
    std::optional<Key> after = {};
    std::optional<Key> upto = {};
};

/// What some columns of a row are: enough of them to know its primary key.
using Fields = std::vector<std::pair<std::string_view, std::string>>;

/// One table as the catalog describes it, and the statements that follow from that.
class Table {
public:
    struct Column {
        std::string name;
        std::string type;
    };
    using Columns = std::vector<Column>;
    using Names = std::vector<std::string>;

    /// `uniques`: the primary key first.
    Table(Listed const& listed, Columns columns, std::vector<Names> uniques,
          std::string const& edition);
    Table(Table&&) = delete;

    std::string const& name() const { return name_; }
    Listed const& listed() const { return listed_; }
    Columns const& columns() const { return columns_; }
    Names const& key() const { return uniques_.front(); }
    bool same_shape(Table const& other) const;

    /// The primary key among the fields of a row; nullopt when a part of it is not there.
    std::optional<Key> key_among(Fields const& fields) const;

    /// Count, digest and last key of the first `page_rows` rows behind `after`.
    std::size_t add_page(pg::Segment& segment, std::optional<Key> const& after) const;
    /// Count and digest of a range.
    std::size_t add_digest(pg::Segment& segment, Range const& range) const;
    /// Key and digest of each row of a range.
    std::size_t add_row_digests(pg::Segment& segment, Range const& range) const;
    /// Key and digest of each of these rows that exists; `locked`: nobody changes them meanwhile.
    std::size_t add_digests_of(pg::Segment& segment, std::vector<Key> const& keys,
                               bool locked) const;
    /// Keys of the rows that carry one of these idempotency keys; only where rows have some.
    bool has_idempotency_keys() const;
    std::size_t add_carriers(pg::Segment& segment, std::vector<std::string> const& keys) const;
    /// One row as text; none when it does not exist.
    std::size_t add_row_text(pg::Segment& segment, Key const& key) const;
    /// Count and images of a range, or of the rows with these keys.
    std::size_t add_images(pg::Segment& segment, Range const& range) const;
    std::size_t add_images_of(pg::Segment& segment, std::vector<Key> const& keys) const;
    /// Makes the rows of the images what they are there.
    void add_write(pg::Segment& segment, std::string_view images) const;
    /// Deletes the rows of a range, or those with these keys, that are not among the images.
    void add_removal(pg::Segment& segment, Range const& range, std::string_view images) const;
    void add_removal_of(pg::Segment& segment, std::vector<Key> const& keys,
                        std::string_view images) const;
    /// Deletes rows that stand in the way of the images by a unique index, and answers their
    /// keys. Places in the segment, one per index.
    std::vector<std::size_t> add_clearing(pg::Segment& segment, std::string_view images) const;

private:
    struct Text {
        std::string name, text;
        Statement statement;
    };
    template <class Make>
    Statement const& statement(std::string what, Make make) const;
    std::string key_list(std::string_view alias = {}) const;
    std::string key_texts(std::string_view alias = {}) const;
    std::string condition(Range const& range, std::size_t first) const;
    std::string joined(std::size_t first) const;
    std::string write_text() const;
    std::string clearing_text(Names const& unique) const;

    Listed const& listed_;
    std::string name_;
    Columns columns_;
    std::vector<Names> uniques_;
    std::string edition_;
    /// Made when they are first wanted; they stay where they are.
    mutable std::map<std::string, std::unique_ptr<Text>> statements_;
};

/// All listed tables of one database that exist there.
class Catalog {
public:
    Table const* find(std::string_view name) const;
    std::vector<std::unique_ptr<Table>> const& tables() const { return tables_; }
    bool same_shape(Catalog const& other) const;

private:
    friend asio::awaitable<Result<std::shared_ptr<Catalog const>>> read_catalog(pg::Session&,
                                                                                SteadyTime);
    std::vector<std::unique_ptr<Table>> tables_;
};

/// Its statements live as long as it does: it outlives the connections that use them.
asio::awaitable<Result<std::shared_ptr<Catalog const>>> read_catalog(pg::Session& session,
                                                                     SteadyTime deadline);

Key read_key(pg::Row row, int column);

/// What is to be copied of one table: a range or single rows.
struct Portion {
    Portion(Table const& its_table, Range its_range)
        : table(&its_table), range(std::move(its_range)) {}
    Portion(Table const& its_table, std::set<Key> its_keys)
        : table(&its_table), keys(std::move(its_keys)) {}

    Table const* table;
    std::optional<Range> range = {};
    std::set<Key> keys = {};
};
using Portions = std::vector<Portion>;

/// Makes these rows of the target what they are in the source now, and commits. The target's
/// transaction is open and holds the lock. `thorough`: rows that stand in the way by a unique
/// index are copied, too. How many rows there are; after an error nothing stays open.
asio::awaitable<Result<std::size_t>> copy(pg::Session& source, pg::Lease target, Portions portions,
                                          bool thorough, SteadyTime deadline);

/// Opens a transaction on a mirror and waits for its lock.
pg::Segment locked_transaction();

}  // namespace penstock::db::mirror
