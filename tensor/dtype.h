// Names of element types.
#pragma once

#include <string_view>

#include "kernels/types.h"

namespace limber {

constexpr std::string_view name_of(DType dtype) {
  constexpr std::string_view names[] = {"f32", "f64", "f16", "bf16", "i64", "i32", "u8", "bool"};
  return names[static_cast<int>(dtype)];
}

constexpr bool is_float(DType dtype) { return dtype <= DType::bf16; }

template <class Out>
Out& operator<<(Out& out, DType dtype) {
  out << name_of(dtype);
  return out;
}

}  // namespace limber
