#include "tensor/shape.h"

#include <algorithm>

#include "tensor/error.h"

namespace limber {

Shape::Shape(std::initializer_list<int64_t> dims) : Shape(std::span(dims.begin(), dims.size())) {}

Shape::Shape(std::span<const int64_t> dims) : rank_(static_cast<int>(dims.size())) {
  check(dims.size() <= kMaxRank, "shape: ", dims.size(), " dimensions, at most ", kMaxRank);
  std::copy(dims.begin(), dims.end(), dims_.begin());
  for (int64_t d : dims) check(d >= 0, "shape: negative extent in ", *this);
}

int64_t Shape::numel() const {
  int64_t n = 1;
  for (int i = 0; i < rank_; ++i) n *= dims_[i];
  return n;
}

int Shape::axis(int dim) const {
  const int index = dim < 0 ? dim + rank_ : dim;
  check(index >= 0 && index < rank_, "shape ", *this, " has no dimension ", dim);
  return index;
}

Shape Shape::with(int dim, int64_t extent) const {
  Shape result = *this;
  result.dims_[axis(dim)] = extent;
  return result;
}

Shape Shape::without(int dim) const {
  const int at = axis(dim);
  Shape result;
  for (int i = 0; i < rank_; ++i)
    if (i != at) result.dims_[result.rank_++] = dims_[i];
  return result;
}

Shape Shape::inserted(int dim, int64_t extent) const {
  const int at = dim < 0 ? dim + rank_ + 1 : dim;
  check(at >= 0 && at <= rank_ && rank_ < kMaxRank, "shape ", *this, ": cannot insert at ", dim);
  Shape result;
  for (int i = 0; i <= rank_; ++i) {
    if (i == at) result.dims_[result.rank_++] = extent;
    if (i < rank_) result.dims_[result.rank_++] = dims_[i];
  }
  return result;
}

int64_t Shape::outer(int dim) const {
  int64_t n = 1;
  for (int i = 0; i < axis(dim); ++i) n *= dims_[i];
  return n;
}

int64_t Shape::inner(int dim) const {
  int64_t n = 1;
  for (int i = axis(dim) + 1; i < rank_; ++i) n *= dims_[i];
  return n;
}

bool operator==(const Shape& a, const Shape& b) { return std::ranges::equal(a.dims(), b.dims()); }

std::string to_string(const Shape& shape) {
  Words out;
  out << '(';
  for (int i = 0; i < shape.rank(); ++i) out << (i ? ", " : "") << shape.dims()[size_t(i)];
  out << ')';
  return std::move(out.text);
}

Shape broadcast(const Shape& a, const Shape& b, const char* op) {
  const int rank = std::max(a.rank(), b.rank());
  std::array<int64_t, Shape::kMaxRank> dims{};
  for (int i = 0; i < rank; ++i) {
    const int64_t da = i < rank - a.rank() ? 1 : a.dims()[i - (rank - a.rank())];
    const int64_t db = i < rank - b.rank() ? 1 : b.dims()[i - (rank - b.rank())];
    check(da == db || da == 1 || db == 1, op, ": shapes ", a, " and ", b, " do not broadcast");
    dims[i] = da == 1 ? db : da;
  }
  return Shape(std::span(dims.data(), size_t(rank)));
}

}  // namespace limber
