#include "tensor/ops/cast.h"

#include "tests/ops/cases.h"

namespace limber::test {

std::vector<OpCase> cast_cases() {
  const auto there_and_back = [](const std::vector<Tensor>& x) {
    const Tensor wide = apply_one(CastOp(x[0].dtype(), DType::f64), {x[0]});
    return apply_one(CastOp(DType::f64, x[0].dtype()), {wide});
  };
  return {{"Cast/f64_and_back", {{{7, 19}}}, there_and_back},
          {"Cast/empty", {{{0, 4}}}, there_and_back}};
}

}  // namespace limber::test
