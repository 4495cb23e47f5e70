// Checks that op fronts share.
#pragma once

#include "tensor/tensor.h"

namespace limber {

// f32 everywhere, f64 on the CPU, f16 and bf16 on a GPU.
inline void check_float(const Tensor& x, const char* op) {
  const bool fits =
      x.defined() &&
      (x.dtype() == DType::f32 || x.dtype() == DType::f64 ||
       (x.device().is_cuda() && (x.dtype() == DType::f16 || x.dtype() == DType::bf16)));
  check(fits, op, ": needs f32 or f64 (on a GPU f32, f16 or bf16), got ",
        x.defined() ? name_of(x.dtype()) : "an undefined tensor");
}

// The type of what goes along with x but wants more than its 16 bits: statistics, log-sum-exps, the
// weights and biases of norms.
inline DType wide_type(const Tensor& x) {
  return x.dtype() == DType::f16 || x.dtype() == DType::bf16 ? DType::f32 : x.dtype();
}

inline void check_same_dtype(const Tensor& a, const Tensor& b, const char* op) {
  check_float(a, op);
  check_float(b, op);
  check(a.dtype() == b.dtype(), op, ": types ", a.dtype(), " and ", b.dtype(), " differ");
}

inline void check_rank(const Tensor& x, int rank, const char* op, const char* what) {
  check_float(x, op);
  check(x.rank() == rank, op, ": ", what, " must have ", rank, " dimensions, got ", x.shape());
}

}  // namespace limber
