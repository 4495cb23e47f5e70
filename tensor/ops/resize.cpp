#include "tensor/ops/resize.h"

#include "tensor/ops.h"
#include "tensor/ops/check.h"

namespace limber {
namespace {

kernels::Filter filter_of(Interpolation mode) {
  switch (mode) {
    case Interpolation::nearest:
      return kernels::Filter::nearest;
    case Interpolation::bilinear:
      return kernels::Filter::linear;
    case Interpolation::bicubic:
      return kernels::Filter::cubic;
  }
  return kernels::Filter::nearest;
}

}  // namespace

std::vector<Spec> ResizeOp::infer(std::span<const Tensor> in) const {
  return {{{shape.N, shape.h, shape.w, shape.C}, in[0].dtype()}};
}

void ResizeOp::forward(const kernels::Exec& ex, std::span<const Tensor> in,
                       std::span<const Tensor> out) const {
  kernels::resize_forward(ex, out[0].out(), in[0].in(), shape);
}

Tensor resize(const Tensor& x, int64_t height, int64_t width, Interpolation mode,
              bool align_corners) {
  check_rank(x, 4, "resize", "input");
  check(height >= 1 && width >= 1 && x.size(1) >= 1 && x.size(2) >= 1, "resize: from ", x.shape(),
        " to ", height, " rows and ", width, " columns");
  return apply_one(ResizeOp({x.size(0), x.size(1), x.size(2), x.size(3), height, width,
                             filter_of(mode), align_corners}),
                   {x});
}

}  // namespace limber
