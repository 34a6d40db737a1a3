// The mock's exports: one file, written at once and shown after two looks; and how it can be off.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <optional>
#include <string>

#include "mock_answer.hpp"
#include "mock_server.hpp"

namespace penstock::tests {

class MockExports {
public:
    explicit MockExports(ExportMischief mischief) : mischief_(mischief) {}

    /// Nothing: that is no route of exports.
    std::optional<MockAnswer> post(std::string const& path, boost::json::object const& body);
    std::optional<MockAnswer> get(MockRequest const& request);

private:
    void write_file();
    boost::json::object show() const;
    MockAnswer piece(std::string const& range) const;

    ExportMischief mischief_;
    std::string ledger_;
    std::string file_;
    std::uint64_t looks_ = 0;
};

}  // namespace penstock::tests
