// Checks that op fronts share.
#pragma once

#include "tensor/tensor.h"

namespace limber {

inline void check_float(const Tensor& x, const char* op) {
  check(x.defined() && (x.dtype() == DType::f32 || x.dtype() == DType::f64), op,
        ": needs f32 or f64, got ", x.defined() ? name_of(x.dtype()) : "an undefined tensor");
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
