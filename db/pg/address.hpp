// Where a database is and how to log in: a connection URL, resolved without blocking.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "db/pg/error.hpp"
#include "reactor/result.hpp"

namespace penstock::db::pg {

/// Keywords of libpq with their values.
using Keywords = std::map<std::string, std::string>;

/// A parsed `postgresql://…` URL or `key=value` string, several hosts and target_session_attrs
/// included. Holds the password and never shows it.
class Address {
public:
    /// Fails with unavailable and a text that does not quote the URL (it may hold a password).
    static Answer<Address> parse(std::string const& url);

    /// "host:port/database", for logs.
    std::string describe() const;

    /// The same server and login, another database.
    Address with_database(std::string_view name) const;

    /// What to try, in order: one set of keywords per resolved address of each host. libpq finds
    /// a hostaddr in it (or a socket directory) and never looks a name up itself.
    asio::awaitable<Answer<std::vector<Keywords>>> candidates(SteadyTime deadline) const;

    /// `text` without the password.
    std::string scrubbed(std::string text) const;

private:
    struct Endpoint {
        std::string host;
        std::string hostaddr;
        std::string port;
    };

    explicit Address(Keywords keywords);
    using Addresses = std::vector<std::string>;
    static asio::awaitable<Answer<Addresses>> resolve(std::string host, SteadyTime deadline);

    Keywords common_;
    std::vector<Endpoint> endpoints_;
};

}  // namespace penstock::db::pg
