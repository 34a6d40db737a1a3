// Is what goes to PostgreSQL encrypted, and is it said to nobody but PostgreSQL?
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "tests/e2e/api.hpp"
#include "tests/support/tls.hpp"

namespace penstock::tests {
namespace {

/// A server of the test's own that takes TCP with TLS only, on a loopback address of its own.
class Encrypted {
public:
    /// As `more` of the URL says, by the name `host`.
    std::string url(std::string const& host, std::string const& more) const {
        return "postgresql://postgres@" + host + ":" + std::to_string(port_) +
               "/postgres?hostaddr=" + address_ + "&" + more;
    }
    std::string trusting(Identity const& authority) const {
        return "sslmode=verify-full&sslrootcert=" + authority.certificate();
    }
    /// Of those sessions of penstock that are encrypted, or are not.
    std::string sessions(bool encrypted) const {
        Operator sql(cluster_.url() + "&port=" + std::to_string(port_));
        return sql(
            "SELECT count(*) FROM pg_stat_activity JOIN pg_stat_ssl USING (pid)"
            " WHERE application_name LIKE 'penstock%' AND ssl = " +
            std::string(encrypted ? "true" : "false"));
    }

    Identity const identity;

private:
    static std::string own_address() {
        auto const pid = static_cast<unsigned>(::getpid());
        return "127." + std::to_string(1 + pid / 250 % 250) + '.' + std::to_string(pid % 250) +
               ".1";
    }
    /// Free on that address; nobody else listens there.
    static std::uint16_t free_port(std::string const& address) {
        int const probe = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in place{};
        place.sin_family = AF_INET;
        ::inet_pton(AF_INET, address.c_str(), &place.sin_addr);
        socklen_t size = sizeof place;
        auto* const any = reinterpret_cast<sockaddr*>(&place);
        BOOST_REQUIRE(::bind(probe, any, size) == 0);
        BOOST_REQUIRE(::getsockname(probe, any, &size) == 0);
        ::close(probe);
        return ntohs(place.sin_port);
    }
    /// PostgreSQL wants its files to be its owner's, and the key nobody else's.
    std::string settings() const {
        std::filesystem::path const directory =
            std::filesystem::path(identity.certificate()).parent_path();
        auto const rules = directory / "hba.conf";
        std::ofstream(rules) << "local all all trust\nhostssl all all 127.0.0.0/8 trust\n";
        ::chmod(identity.private_key().c_str(), S_IRUSR | S_IWUSR);
        if (::geteuid() == 0) {
            auto const* const owner = ::getpwnam("postgres");
            if (owner == nullptr) throw std::runtime_error("there is no user postgres");
            for (auto const& path : {directory.string(), rules.string(), identity.certificate(),
                                     identity.private_key()})
                BOOST_REQUIRE(::chown(path.c_str(), owner->pw_uid, owner->pw_gid) == 0);
        }
        return "-c ssl=on -c ssl_cert_file=" + identity.certificate() +
               " -c ssl_key_file=" + identity.private_key() + " -c hba_file=" + rules.string() +
               " -c listen_addresses=" + address_ + " -c port=" + std::to_string(port_);
    }

    std::string address_ = own_address();
    std::uint16_t port_ = free_port(address_);
    Cluster cluster_{settings()};
};

ServerProcess::Ended serve(std::string const& url) {
    return ServerProcess::run(
        {"serve", "--log-level", "error", "--listen", "127.0.0.1:0", "--database-url", url});
}

BOOST_AUTO_TEST_SUITE(database_tls)

BOOST_AUTO_TEST_CASE(a_server_speaks_tls_with_its_database_and_knows_whom_it_speaks_with) {
    Encrypted const database;
    {
        ServerProcess server(
            {"--database-url", database.url("localhost", database.trusting(database.identity))});
        auto const ledger = ledger_with_ann(server);
        Api api(server);
        auto const key = fresh("key");
        auto const first = api.deposit(ledger, "ann", 5, key);
        BOOST_TEST(first.status == 201U, first.body);
        BOOST_TEST(api.deposit(ledger, "ann", 5, key).body == first.body);
        BOOST_TEST(api.balance(ledger, "ann") == 5);
        check_verified(api, ledger);
        BOOST_TEST(std::stoi(database.sessions(true)) >= 4);
        BOOST_TEST(database.sessions(false) == "0");
    }
    Identity const somebody_else;
    auto const wrong = serve(database.url("localhost", database.trusting(somebody_else)));
    BOOST_TEST(wrong.code == 1, wrong.output);
    BOOST_TEST(wrong.output.find("certificate verify failed") != std::string::npos, wrong.output);
    auto const renamed = serve(database.url("elsewhere", database.trusting(database.identity)));
    BOOST_TEST(renamed.code == 1, renamed.output);
    BOOST_TEST(renamed.output.find("does not match host name") != std::string::npos,
               renamed.output);
    // This database takes nothing that is not encrypted.
    auto const open = serve(database.url("localhost", "sslmode=disable"));
    BOOST_TEST(open.code == 1, open.output);
    BOOST_TEST(open.output.find("no encryption") != std::string::npos, open.output);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
