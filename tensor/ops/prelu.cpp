#include "tensor/ops/prelu.h"

#include "kernels/prelu.h"
#include "tensor/ops.h"
#include "tensor/ops/check.h"

namespace limber {

std::vector<Spec> PReluOp::infer(std::span<const Tensor> in) const {
  const Tensor &x = in[0], &slope = in[1];
  check_same_dtype(x, slope, "prelu");
  check(x.rank() >= 1 && x.size(-1) > 0 &&
            (slope.shape() == Shape{1} || slope.shape() == Shape{x.size(-1)}),
        "prelu: slope has shape ", slope.shape(), ", input ", x.shape());
  return {{x.shape(), x.dtype()}};
}

void PReluOp::forward(const kernels::Exec& ex, std::span<const Tensor> in,
                      std::span<const Tensor> out) const {
  kernels::prelu_forward(ex, out[0].out(), in[0].in(), in[1].in(), in[0].shape().outer(-1),
                         in[0].size(-1), in[1].numel() == 1);
}

Tensor prelu(const Tensor& x, const Tensor& slope) { return apply_one(PReluOp(), {x, slope}); }

}  // namespace limber
