// Writing and reading the records of a binary file: little endian, every read checked against the
// end.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include "tensor/error.h"
#include "tensor/shape.h"

namespace limber {

static_assert(std::endian::native == std::endian::little, ".limber files are little endian");

class ByteWriter {
 public:
  template <class T>
  requires std::is_arithmetic_v<T>
  void put(T value) {
    const size_t at = bytes_.size();
    bytes_.resize(at + sizeof value);
    std::memcpy(bytes_.data() + at, &value, sizeof value);
  }
  void put(std::span<const uint8_t> blob) {
    put(uint32_t(blob.size()));
    bytes_.insert(bytes_.end(), blob.begin(), blob.end());
  }
  void put(const std::string& text) {
    put(std::span(reinterpret_cast<const uint8_t*>(text.data()), text.size()));
  }
  void put(const Shape& shape) {
    put(uint8_t(shape.rank()));
    for (int64_t d : shape.dims()) put(d);
  }
  void put(const std::vector<int>& list) {
    put(uint32_t(list.size()));
    for (int v : list) put(int32_t(v));
  }
  const std::vector<uint8_t>& bytes() const { return bytes_; }

 private:
  std::vector<uint8_t> bytes_;
};

class ByteReader {
 public:
  // `what` names the file in errors.
  ByteReader(std::span<const uint8_t> bytes, std::string what)
      : bytes_(bytes), what_(std::move(what)) {}

  template <class T>
  requires std::is_arithmetic_v<T> T get() {
    T value;
    std::memcpy(&value, take(sizeof value).data(), sizeof value);
    return value;
  }
  std::span<const uint8_t> blob() { return take(get<uint32_t>()); }
  std::string text() {
    const std::span<const uint8_t> b = blob();
    return {reinterpret_cast<const char*>(b.data()), b.size()};
  }
  Shape shape() {
    const size_t rank = get<uint8_t>();
    if (rank > size_t(Shape::kMaxRank)) fail_here(str(rank, " dimensions"));
    std::array<int64_t, size_t(Shape::kMaxRank)> dims{};
    double numel = 1;
    for (size_t d = 0; d < rank; ++d) {
      dims[d] = get<int64_t>();
      if (dims[d] < 0) fail_here(str("extent ", dims[d]));
      numel *= double(dims[d]);
    }
    if (numel > 1e12) fail_here("a tensor of more than 10^12 elements");
    return Shape(std::span<const int64_t>(dims.data(), rank));
  }
  // A count of records that take at least `least` bytes each.
  size_t count(size_t least) {
    const size_t n = get<uint32_t>();
    if (n > (bytes_.size() - at_) / least) fail_here(str(n, " records"));
    return n;
  }
  // Numbers in [low, high).
  std::vector<int> list(int low, int high) {
    std::vector<int> values(count(4));
    for (int& v : values) {
      v = get<int32_t>();
      if (v < low || v >= high) fail_here(str("the number ", v));
    }
    return values;
  }
  size_t at() const { return at_; }
  [[noreturn]] void fail_here(const std::string& found) const {
    fail_input(what_, ": damaged: ", found, " before byte ", at_);
  }

 private:
  std::span<const uint8_t> take(size_t n) {
    if (n > bytes_.size() - at_) fail_here("the end of the file");
    at_ += n;
    return bytes_.subspan(at_ - n, n);
  }

  std::span<const uint8_t> bytes_;
  std::string what_;
  size_t at_ = 0;
};

}  // namespace limber
