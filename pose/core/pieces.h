// Loops that the compiler turns into vectors without being asked to unroll them.
#pragma once

#include <cstdint>
#include <type_traits>

namespace limber {

constexpr int64_t kPiece = 16;

// Calls body(begin, count) for pieces of [0, n): whole ones with a constant for a count, so that a
// loop over it becomes vector instructions, then what is left. Results go through an array of
// kPiece numbers: the compiler does not see that two pointers do not overlap.
template <class Body>
void for_pieces(int64_t n, const Body& body) {
  int64_t begin = 0;
  for (; begin + kPiece <= n; begin += kPiece)
    body(begin, std::integral_constant<int64_t, kPiece>());
  if (begin < n) body(begin, n - begin);
}

}  // namespace limber
