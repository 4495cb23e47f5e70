// Extents of a tensor: up to six, inline, no heap.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>

namespace limber {

class Shape {
 public:
  static constexpr int kMaxRank = 6;

  Shape() = default;
  Shape(std::initializer_list<int64_t> dims);
  explicit Shape(std::span<const int64_t> dims);

  int rank() const { return rank_; }
  // Negative indices count from the end. Throws when out of range.
  int64_t operator[](int dim) const { return dims_[axis(dim)]; }
  int64_t numel() const;  // 1 for a scalar
  std::span<const int64_t> dims() const { return {dims_.data(), size_t(rank_)}; }

  // `dim` counted from the front, in [0, rank). Throws when out of range.
  int axis(int dim) const;
  Shape with(int dim, int64_t extent) const;      // one extent replaced
  Shape without(int dim) const;                   // one extent removed
  Shape inserted(int dim, int64_t extent) const;  // one extent put before `dim` (rank allowed)
  int64_t outer(int dim) const;                   // product of the extents before `dim`
  int64_t inner(int dim) const;                   // product of the extents after `dim`

  friend bool operator==(const Shape& a, const Shape& b);

 private:
  std::array<int64_t, kMaxRank> dims_{};
  int rank_ = 0;
};

std::string to_string(const Shape& shape);  // (8, 64, 48, 32)

// To streams and to Words.
template <class Out>
Out& operator<<(Out& out, const Shape& shape) {
  out << to_string(shape);
  return out;
}

// The shape two operands broadcast to (NumPy's rule). Throws naming both and `op`.
Shape broadcast(const Shape& a, const Shape& b, const char* op);

}  // namespace limber
