#include "bench/random.hpp"

#include <algorithm>
#include <cmath>
#include <random>

#include "domain/assert.hpp"

namespace penstock::bench {

Random::Random(std::uint64_t seed) {
    for (auto& word : state_) {
        seed += 0x9e3779b97f4a7c15ULL;
        std::uint64_t z = seed;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
        word = z ^ (z >> 31);
    }
}

std::uint64_t entropy() {
    std::random_device device;
    return (std::uint64_t{device()} << 32) | device();
}

void append_uuid4(std::string& out, Random& random) {
    static constexpr char digits[] = "0123456789abcdef";
    std::uint64_t const high = (random.next() & 0xffffffffffff0fffULL) | 0x4000;
    std::uint64_t const low = (random.next() & 0x3fffffffffffffffULL) | 0x8000000000000000ULL;
    char text[36];
    std::size_t at = 0;
    for (unsigned nibble = 0; nibble < 32; ++nibble) {
        if (nibble == 8 || nibble == 12 || nibble == 16 || nibble == 20) text[at++] = '-';
        std::uint64_t const word = nibble < 16 ? high : low;
        text[at++] = digits[(word >> (60 - 4 * (nibble % 16))) & 15];
    }
    out.append(text, at);
}

Zipf::Zipf(std::size_t n, double exponent) : cumulative_(n) {
    PENSTOCK_ASSERT(n > 0);
    double sum = 0;
    for (std::size_t rank = 0; rank < n; ++rank) {
        sum += std::pow(static_cast<double>(rank + 1), -exponent);
        cumulative_[rank] = sum;
    }
}

std::size_t Zipf::pick(Random& random) const {
    double const point = random.unit() * cumulative_.back();
    auto const found = std::upper_bound(cumulative_.begin(), cumulative_.end(), point);
    auto const rank = static_cast<std::size_t>(found - cumulative_.begin());
    return std::min(rank, cumulative_.size() - 1);
}

}  // namespace penstock::bench
