// One-sided Jacobi (Hestenes 1958): columns of m V are turned against each other in pairs until
// they are orthogonal; their lengths are the singular values, their directions U.
#include "pose/core/svd3.h"

#include <cmath>
#include <tuple>
#include <utility>

namespace limber {
namespace {

using Vec = std::array<double, 3>;

double dot(const Vec& a, const Vec& b) { return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]; }

Vec cross(const Vec& a, const Vec& b) {
  return {a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]};
}

// A unit vector orthogonal to the unit vector a.
Vec any_orthogonal(const Vec& a) {
  const Vec axis = std::abs(a[0]) < 0.6 ? Vec{1, 0, 0} : Vec{0, 1, 0};
  Vec out = cross(a, axis);
  const double length = std::sqrt(dot(out, out));
  for (double& x : out) x /= length;
  return out;
}

// Turns columns a and b (and their companions in V) until they are orthogonal. False if they were.
bool rotate(Vec& a, Vec& b, Vec& va, Vec& vb) {
  const double aa = dot(a, a), bb = dot(b, b), ab = dot(a, b);
  if (std::abs(ab) <= 1e-16 * std::sqrt(aa * bb) || ab == 0) return false;
  const double zeta = (bb - aa) / (2 * ab);
  const double t = std::copysign(1.0, zeta) / (std::abs(zeta) + std::sqrt(1 + zeta * zeta));
  const double c = 1 / std::sqrt(1 + t * t), s = c * t;
  for (size_t i = 0; i < 3; ++i) {
    std::tie(a[i], b[i]) = std::pair(c * a[i] - s * b[i], s * a[i] + c * b[i]);
    std::tie(va[i], vb[i]) = std::pair(c * va[i] - s * vb[i], s * va[i] + c * vb[i]);
  }
  return true;
}

}  // namespace

Svd3 svd3(const std::array<double, 9>& m) {
  std::array<Vec, 3> column, v{{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}};
  for (size_t j = 0; j < 3; ++j) column[j] = {m[j], m[3 + j], m[6 + j]};
  for (int sweep = 0; sweep < 60; ++sweep) {
    bool turned = rotate(column[0], column[1], v[0], v[1]);
    turned = rotate(column[0], column[2], v[0], v[2]) || turned;
    turned = rotate(column[1], column[2], v[1], v[2]) || turned;
    if (!turned) break;
  }
  Vec s;
  for (size_t j = 0; j < 3; ++j) s[j] = std::sqrt(dot(column[j], column[j]));
  for (auto [i, j] : {std::pair<size_t, size_t>{0, 1}, {1, 2}, {0, 1}})
    if (s[i] < s[j]) {
      std::swap(s[i], s[j]);
      std::swap(column[i], column[j]);
      std::swap(v[i], v[j]);
    }
  // Directions of vanishing columns are free: complete the basis.
  std::array<Vec, 3> u;
  for (size_t j = 0; j < 3; ++j) {
    const bool vanishes = s[j] <= 1e-15 * s[0] || s[j] == 0;
    if (!vanishes)
      for (size_t i = 0; i < 3; ++i) u[j][i] = column[j][i] / s[j];
    else
      u[j] = j == 0 ? Vec{1, 0, 0} : j == 1 ? any_orthogonal(u[0]) : cross(u[0], u[1]);
  }
  Svd3 out;
  out.s = s;
  for (size_t j = 0; j < 3; ++j)
    for (size_t i = 0; i < 3; ++i) {
      out.u[3 * i + j] = u[j][i];
      out.v[3 * i + j] = v[j][i];
    }
  return out;
}

}  // namespace limber
