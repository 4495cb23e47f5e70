#include "tensor/random.h"

#include <cmath>

namespace limber {
namespace {

uint64_t splitmix(uint64_t& state) {
  uint64_t z = (state += 0x9E3779B97F4A7C15);
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
  return z ^ (z >> 31);
}

}  // namespace

Random::Random(uint64_t seed) {
  for (uint64_t& word : state_) word = splitmix(seed);
}

double Random::uniform() { return double(next() >> 11) * 0x1p-53; }
double Random::uniform(double lo, double hi) { return lo + (hi - lo) * uniform(); }

// Box and Muller 1958; the second number of the pair is dropped, which keeps the state small.
double Random::normal() {
  const double radius = std::sqrt(-2 * std::log(1 - uniform()));
  return radius * std::cos(6.283185307179586 * uniform());
}

double Random::truncated_normal(double lo, double hi) {
  check(lo < hi, "truncated_normal: empty interval [", lo, ", ", hi, "]");
  while (true) {
    const double v = normal();
    if (v >= lo && v <= hi) return v;
  }
}

int64_t Random::integer(int64_t lo, int64_t hi) {
  check(lo < hi, "random integer: empty interval [", lo, ", ", hi, ")");
  return lo + int64_t(uniform() * double(hi - lo));
}

uint64_t mix_seed(uint64_t a, uint64_t b) {
  uint64_t state = a ^ (b * 0xD6E8FEB86659FD93);
  splitmix(state);
  return splitmix(state);
}

uint64_t mix_seed(uint64_t seed, const char* name) {
  uint64_t hash = 0xcbf29ce484222325;
  for (; *name != '\0'; ++name) hash = (hash ^ uint8_t(*name)) * 0x100000001b3;
  return mix_seed(seed, hash);
}

Random& op_random() {
  static Random instance(0);
  return instance;
}

}  // namespace limber
