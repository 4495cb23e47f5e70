// Singular values of 3x3 matrices, for aligning point sets.
#pragma once

#include <array>

namespace limber {

// m = u diag(s) v^T; matrices row-major, s descending and not negative, u and v orthogonal (their
// determinants may be -1).
struct Svd3 {
  std::array<double, 9> u, v;
  std::array<double, 3> s;
};

Svd3 svd3(const std::array<double, 9>& m);

}  // namespace limber
