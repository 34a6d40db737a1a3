#include "bench/conditions.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <ctime>

#include "bench/random.hpp"

namespace penstock::bench {
namespace {

double cpu_seconds() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    auto const seconds = [](timeval const& t) {
        return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

}  // namespace

std::string utc_now() {
    std::time_t const now = std::time(nullptr);
    std::tm parts{};
    gmtime_r(&now, &parts);
    char text[32];
    std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
    return text;
}

std::string new_run_id() {
    Random random(entropy());
    std::string uuid;
    append_uuid4(uuid, random);
    return uuid.substr(0, 8) + uuid.substr(9, 4);
}

CpuShare::CpuShare() : spent_(cpu_seconds()), since_(steady_now()) {}

double CpuShare::of_one_core() const {
    std::chrono::duration<double> const passed = steady_now() - since_;
    return (cpu_seconds() - spent_) / std::max(passed.count(), 1e-6);
}

}  // namespace penstock::bench
