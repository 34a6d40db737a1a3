// Where the bench's choices come from: seeded, fast, no cryptography.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace penstock::bench {

/// xoshiro256**, seeded through splitmix64: the same seed makes the same choices.
class Random {
public:
    explicit Random(std::uint64_t seed);

    std::uint64_t next() {
        std::uint64_t const result = rotate(state_[1] * 5, 7) * 9;
        std::uint64_t const mixed = state_[1] << 17;
        state_[2] ^= state_[0];
        state_[3] ^= state_[1];
        state_[1] ^= state_[2];
        state_[0] ^= state_[3];
        state_[2] ^= mixed;
        state_[3] = rotate(state_[3], 45);
        return result;
    }

    /// 0 … n − 1, n > 0.
    std::uint64_t below(std::uint64_t n) {
        __extension__ using Wide = unsigned __int128;
        return static_cast<std::uint64_t>((Wide{next()} * n) >> 64);
    }

    /// 0 ≤ x < 1.
    double unit() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

private:
    static std::uint64_t rotate(std::uint64_t x, unsigned k) { return (x << k) | (x >> (64 - k)); }

    std::array<std::uint64_t, 4> state_;
};

/// A seed that no other run has: idempotency keys must never repeat between runs.
std::uint64_t entropy();

/// Appends a version 4 UUID, 36 characters.
void append_uuid4(std::string& out, Random& random);

/// Ranks 0 … n − 1, rank k with weight 1 / (k + 1)^exponent.
class Zipf {
public:
    Zipf(std::size_t n, double exponent);
    std::size_t pick(Random& random) const;

private:
    std::vector<double> cumulative_;
};

}  // namespace penstock::bench
