// Random numbers that are the same on every machine: a small generator whose whole state can be
// saved, so that a resumed run goes on with the numbers the interrupted one would have drawn.
#pragma once

#include <array>
#include <cstdint>

#include "tensor/tensor.h"

namespace limber {

// xoshiro256** (Blackman and Vigna 2018), seeded by splitmix64.
class Random {
 public:
  explicit Random(uint64_t seed = 0);
  uint64_t next() {  // 64 random bits
    const auto rotated = [](uint64_t x, int by) { return (x << by) | (x >> (64 - by)); };
    const uint64_t result = rotated(state_[1] * 5, 7) * 9;
    const uint64_t shifted = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = rotated(state_[3], 45);
    return result;
  }
  double uniform();                               // [0, 1)
  double uniform(double lo, double hi);           // [lo, hi)
  double normal();                                // mean 0, variance 1
  double truncated_normal(double lo, double hi);  // standard normal restricted to [lo, hi]
  int64_t integer(int64_t lo, int64_t hi);        // [lo, hi)
  bool chance(double p) { return uniform() < p; }

  using State = std::array<uint64_t, 4>;
  const State& state() const { return state_; }
  void set_state(const State& state) { state_ = state; }

 private:
  State state_;
};

// A seed made of several numbers or of a seed and a name, well mixed.
uint64_t mix_seed(uint64_t a, uint64_t b);
uint64_t mix_seed(uint64_t seed, const char* name);

// What dropout and drop path draw from: one generator per process, seeded by the trainer.
Random& op_random();

}  // namespace limber
