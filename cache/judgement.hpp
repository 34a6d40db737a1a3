// How a call that a breaker let pass is judged, whatever becomes of its coroutine.
#pragma once

#include "cache/breaker.hpp"

namespace penstock::cache {

/// Gives the pass back even when the caller's coroutine is destroyed while it waits: a lost probe
/// would keep the breaker half open for ever.
class Judgement {
public:
    Judgement(Breaker& breaker, Breaker::Pass pass) : breaker_(breaker), pass_(pass) {}
    Judgement(Judgement&&) = delete;
    ~Judgement() { breaker_.judge(pass_, verdict_, steady_now()); }

    void set(Verdict verdict) { verdict_ = verdict; }

private:
    Breaker& breaker_;
    Breaker::Pass pass_;
    Verdict verdict_ = Verdict::none;
};

}  // namespace penstock::cache
