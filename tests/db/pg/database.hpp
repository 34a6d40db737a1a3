// A database of the test's own on the server that the environment names, and an own server.
#pragma once

#include <libpq-fe.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>

#include "db/pg/address.hpp"
#include "db/pg/options.hpp"

namespace penstock::tests {

/// A blocking connection for what a test does behind the back of the code under test.
class Operator {
public:
    Operator(std::string const& url, std::string const& database = "") {
        char const* names[] = {"dbname", database.empty() ? nullptr : "dbname", nullptr};
        char const* values[] = {url.c_str(), database.c_str(), nullptr};
        connection_.reset(PQconnectdbParams(names, values, 1));
        BOOST_REQUIRE_MESSAGE(PQstatus(connection_.get()) == CONNECTION_OK,
                              PQerrorMessage(connection_.get()));
    }

    /// The first value of the answer, or "". A failing statement fails the test.
    std::string operator()(std::string const& sql) {
        Result const result(PQexec(connection_.get(), sql.c_str()));
        auto const status = PQresultStatus(result.get());
        BOOST_REQUIRE_MESSAGE(status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK,
                              sql << ": " << PQerrorMessage(connection_.get()));
        if (PQntuples(result.get()) == 0) return "";
        return PQgetvalue(result.get(), 0, 0);
    }

    /// Asks until the answer is `wanted`: how a test waits for the server's side of something.
    void await(std::string const& sql, std::string const& wanted) {
        for (int i = 0; i < 1000; ++i) {
            if ((*this)(sql) == wanted) return;
            (*this)("SELECT pg_sleep(0.01)");
        }
        BOOST_FAIL(sql << " never became " << wanted);
    }

private:
    struct Free {
        void operator()(PGresult* result) const { PQclear(result); }
        void operator()(PGconn* connection) const { PQfinish(connection); }
    };
    using Result = std::unique_ptr<PGresult, Free>;
    std::unique_ptr<PGconn, Free> connection_;
};

/// Created in the constructor, dropped in the destructor.
class Database {
public:
    Database() : Database(server_url()) {}
    explicit Database(std::string url) : url_(std::move(url)) {
        static int count = 0;
        name_ = "h_pg_" + std::to_string(getpid()) + '_' + std::to_string(++count);
        Operator maintenance(url_);
        maintenance("CREATE DATABASE " + name_);
    }
    Database(Database&&) = delete;
    ~Database() {
        try {
            Operator maintenance(url_);
            maintenance("DROP DATABASE IF EXISTS " + name_ + " WITH (FORCE)");
        } catch (...) {  // a server that the test has stopped
        }
    }

    static std::string server_url() {
        char const* const url = std::getenv("PENSTOCK_TEST_DATABASE_URL");
        BOOST_REQUIRE_MESSAGE(url != nullptr, "PENSTOCK_TEST_DATABASE_URL is not set");
        return url;
    }

    std::string const& name() const { return name_; }
    Operator connect() const { return Operator(url_, name_); }
    db::pg::Address address() const {
        return db::pg::Address::parse(url_).value().with_database(name_);
    }
    db::pg::ConnectionOptions options() const { return db::pg::ConnectionOptions(address()); }

private:
    std::string url_;
    std::string name_;
};

/// A server of the test's own, on a unix socket in a temporary directory: one that may be stopped.
class Cluster {
public:
    /// `settings` as on the server's command line: "-c max_connections=20".
    explicit Cluster(std::string settings = "") : settings_(std::move(settings)) {
        make_directory();
        require(as_owner("initdb --no-sync -A trust -U postgres -D " + data()));
        start();
    }
    /// One that follows another: it streams whatever is written there, and may take its place.
    struct ReplicaOf {
        Cluster const& primary;
    };
    explicit Cluster(ReplicaOf of, std::string settings = "") : settings_(std::move(settings)) {
        make_directory();
        require(as_owner("pg_basebackup --no-sync -c fast -R -U postgres -h " +
                         of.primary.directory_ + " -D " + data()));
        start();
    }
    Cluster(Cluster&&) = delete;
    ~Cluster() {
        static_cast<void>(shell(as_owner(control("stop -m immediate"))));
        std::error_code ignored;
        std::filesystem::remove_all(directory_, ignored);
    }

    void start() {
        require(as_owner(control("start -l " + directory_ +
                                 "/log -o \"-c fsync=off -c listen_addresses='' -k " + directory_ +
                                 " -c shared_buffers=16MB " + settings_ + "\"")));
    }
    void stop_immediately() { require(as_owner(control("stop -m immediate"))); }
    /// Of a replica: from now on it is a primary.
    void promote() { require(as_owner(control("promote"))); }

    std::string url() const { return "postgresql://postgres@/postgres?host=" + directory_; }
    std::string const& directory() const { return directory_; }

private:
    void make_directory() {
        auto pattern = (std::filesystem::temp_directory_path() / "penstock-pg-XXXXXX").string();
        BOOST_REQUIRE(mkdtemp(pattern.data()) != nullptr);
        directory_ = pattern;
        if (geteuid() == 0) require("chown postgres " + directory_);
    }
    std::string data() const { return directory_ + "/data"; }
    std::string control(std::string const& verb) const {
        return "pg_ctl -w -D " + data() + ' ' + verb;
    }
    static std::string as_owner(std::string const& command) {
        std::string const path = "PATH=$PATH:/usr/lib/postgresql/15/bin ";
        if (geteuid() != 0) return path + command;
        return "cd / && runuser -u postgres -- env " + path + command;
    }
    static int shell(std::string const& command) {
        return std::system(("(" + command + ") >/dev/null 2>&1 </dev/null").c_str());
    }
    static void require(std::string const& command) {
        BOOST_REQUIRE_MESSAGE(shell(command) == 0, command);
    }

    std::string directory_;
    std::string settings_;
};

}  // namespace penstock::tests
