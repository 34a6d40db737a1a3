// What the mock's parts say to each other: requests, answers, members of JSON.
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cstdint>
#include <string>

namespace penstock::tests {

struct MockRequest {
    std::string method;
    std::string path;
    std::string query;
    std::string key;
    std::string range;
    std::string body;
};

struct MockAnswer {
    int status = 200;
    std::string body;
    bool send = true;
    bool hang = false;
    bool replayed = false;
};

inline MockAnswer problem(int status, std::string code) {
    boost::json::object const body{{"status", status}, {"code", code}};
    return {status, boost::json::serialize(body)};
}

inline std::string parameter(std::string const& query, std::string const& name) {
    auto const at = ("&" + query).find("&" + name + "=");
    if (at == std::string::npos) return {};
    auto const begin = at + name.size() + 1;
    return query.substr(begin, query.find('&', begin) - begin);
}

inline std::int64_t integer(boost::json::object const& object, char const* name) {
    return object.at(name).as_int64();
}

inline std::string text(boost::json::object const& object, char const* name) {
    return std::string(object.at(name).as_string());
}

}  // namespace penstock::tests
