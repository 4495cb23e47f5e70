// Tensors as a checkpoint file holds them: a typed storage somewhere in the mapped file, and a view
// of it with offset and strides. The numbers are read when they are asked for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tensor/tensor.h"

namespace limber {

enum class StoredType : uint8_t { f32, f64, f16, bf16, i64, i32, i16, i8, u8, boolean };

size_t size_of(StoredType type);
std::string name_of(StoredType type);  // PyTorch's: "float32"

struct StoredStorage {
  StoredType type = StoredType::f32;
  uint64_t numel = 0;
  const std::byte* data = nullptr;    // little endian; set once the file's layout is known
  std::shared_ptr<const void> owner;  // keeps `data` alive
};

struct StoredTensor {
  std::shared_ptr<StoredStorage> storage;
  int64_t offset = 0;  // elements
  std::vector<int64_t> shape, strides;
  bool is_parameter = false;

  int64_t numel() const;
  // A contiguous copy in PyTorch's order of elements. 8- and 16-bit integers become i32 (u8 and
  // bool stay); f16 and bf16 stay, or become f32 when `widen` is set. Throws InputError for more
  // than Shape::kMaxRank dimensions.
  Tensor load(bool widen = false) const;

  // Throws InputError, beginning with `where`, for extents or strides that leave the storage, and
  // for views that repeat elements so often that the copy would be far larger than the storage.
  void validate(const std::string& where) const;
};

float half_to_float(uint16_t bits);
float bfloat16_to_float(uint16_t bits);

}  // namespace limber
