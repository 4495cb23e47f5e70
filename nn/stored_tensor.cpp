#include "nn/stored_tensor.h"

#include <bit>
#include <cstring>

namespace limber {
namespace {

// A view may be this many times larger than its storage, or this many elements.
constexpr uint64_t kMaxRepeat = 64;
constexpr uint64_t kAlwaysAllowed = 1 << 16;

DType loaded_type(StoredType type, bool widen) {
  switch (type) {
    case StoredType::f32:
      return DType::f32;
    case StoredType::f64:
      return DType::f64;
    case StoredType::f16:
      return widen ? DType::f32 : DType::f16;
    case StoredType::bf16:
      return widen ? DType::f32 : DType::bf16;
    case StoredType::i64:
      return DType::i64;
    case StoredType::i32:
    case StoredType::i16:
    case StoredType::i8:
      return DType::i32;
    case StoredType::u8:
      return DType::u8;
    case StoredType::boolean:
      return DType::boolean;
  }
  return DType::f32;
}

template <class From, class To>
void convert(const std::byte* from, std::byte* to) {
  From value;
  std::memcpy(&value, from, sizeof value);
  const To out = To(value);
  std::memcpy(to, &out, sizeof out);
}

template <float (*widened)(uint16_t)>
void convert_half(const std::byte* from, std::byte* to) {
  uint16_t bits;
  std::memcpy(&bits, from, sizeof bits);
  const float out = widened(bits);
  std::memcpy(to, &out, sizeof out);
}

template <size_t bytes>
void copy(const std::byte* from, std::byte* to) {
  std::memcpy(to, from, bytes);
}

void copy_bool(const std::byte* from, std::byte* to) {
  *to = std::byte(*from != std::byte(0));  // any other bit pattern would not be a bool
}

using Convert = void (*)(const std::byte*, std::byte*);

Convert converter(StoredType type, bool widen) {
  switch (type) {
    case StoredType::f64:
    case StoredType::i64:
      return copy<8>;
    case StoredType::f32:
    case StoredType::i32:
      return copy<4>;
    case StoredType::f16:
      return widen ? convert_half<half_to_float> : copy<2>;
    case StoredType::bf16:
      return widen ? convert_half<bfloat16_to_float> : copy<2>;
    case StoredType::i16:
      return convert<int16_t, int32_t>;
    case StoredType::i8:
      return convert<int8_t, int32_t>;
    case StoredType::u8:
      return copy<1>;
    case StoredType::boolean:
      return copy_bool;
  }
  return copy<4>;
}

}  // namespace

size_t size_of(StoredType type) {
  constexpr size_t sizes[] = {4, 8, 2, 2, 8, 4, 2, 1, 1, 1};
  return sizes[static_cast<int>(type)];
}

std::string name_of(StoredType type) {
  constexpr const char* names[] = {"float32", "float64", "float16", "bfloat16", "int64",
                                   "int32",   "int16",   "int8",    "uint8",    "bool"};
  return names[static_cast<int>(type)];
}

float half_to_float(uint16_t bits) {
  const uint32_t sign = uint32_t(bits & 0x8000) << 16;
  const uint32_t exponent = (bits >> 10) & 0x1F, mantissa = bits & 0x3FF;
  if (exponent == 0x1F) return std::bit_cast<float>(sign | 0x7F800000 | mantissa << 13);
  if (exponent != 0) return std::bit_cast<float>(sign | (exponent + 112) << 23 | mantissa << 13);
  const float small = float(mantissa) * 0x1p-24f;  // zero and subnormal numbers, exact
  return sign ? -small : small;
}

float bfloat16_to_float(uint16_t bits) { return std::bit_cast<float>(uint32_t(bits) << 16); }

int64_t StoredTensor::numel() const {
  int64_t n = 1;
  for (const int64_t extent : shape) n *= extent;
  return n;
}

void StoredTensor::validate(const std::string& where) const {
  check_input(storage != nullptr, where, "tensor without a storage");
  check_input(shape.size() == strides.size(), where, "tensor with ", shape.size(), " extents and ",
              strides.size(), " strides");
  bool overflow = offset < 0 || uint64_t(offset) > storage->numel, empty = false;
  int64_t count = 1, last = offset;
  for (size_t i = 0; i < shape.size(); ++i) {
    check_input(shape[i] >= 0 && strides[i] >= 0, where, "tensor with the extent ", shape[i],
                " and the stride ", strides[i]);
    empty |= shape[i] == 0;
    int64_t reach = 0;
    overflow |= shape[i] > 0 && __builtin_mul_overflow(shape[i] - 1, strides[i], &reach);
    overflow |= __builtin_add_overflow(last, reach, &last);
    overflow |= __builtin_mul_overflow(count, std::max<int64_t>(shape[i], 1), &count);
  }
  check_input(!overflow && (empty || uint64_t(last) < storage->numel), where,
              "tensor reaches outside of its storage of ", storage->numel, " elements");
  check_input(
      empty || uint64_t(count) <= kAlwaysAllowed || uint64_t(count) / kMaxRepeat <= storage->numel,
      where, "tensor of ", count, " elements over a storage of ", storage->numel);
}

Tensor StoredTensor::load(bool widen) const {
  check_input(storage && storage->data, "checkpoint: tensor without a storage");
  check_input(shape.size() <= size_t(Shape::kMaxRank), "checkpoint: tensor of ", shape.size(),
              " dimensions, at most ", Shape::kMaxRank, " are known");
  Tensor out =
      Tensor::empty(Shape(std::span<const int64_t>(shape)), loaded_type(storage->type, widen));
  const int64_t n = out.numel();
  if (n == 0) return out;
  const size_t from_size = size_of(storage->type), to_size = size_of(out.dtype());
  const Convert element = converter(storage->type, widen);
  auto* to = static_cast<std::byte*>(out.raw());
  const std::byte* from = storage->data + size_t(offset) * from_size;

  bool contiguous = true;
  int64_t expected = 1;
  for (size_t i = shape.size(); i-- > 0; expected *= shape[i])
    contiguous &= shape[i] == 1 || strides[i] == expected;
  if (contiguous && from_size == to_size && storage->type != StoredType::boolean) {
    std::memcpy(to, from, size_t(n) * from_size);
    return out;
  }
  std::vector<int64_t> index(shape.size(), 0);
  int64_t position = 0;
  for (int64_t i = 0; i < n; ++i) {
    element(from + size_t(position) * from_size, to + size_t(i) * to_size);
    for (size_t d = shape.size(); d-- > 0;) {
      position += strides[d];
      if (++index[d] < shape[d]) break;
      position -= strides[d] * shape[d];
      index[d] = 0;
    }
  }
  return out;
}

}  // namespace limber
