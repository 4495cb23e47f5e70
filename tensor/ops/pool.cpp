#include "tensor/ops/pool.h"

#include "tensor/ops.h"
#include "tensor/ops/check.h"

namespace limber {
namespace {

using kernels::WindowAxis;

// Number of windows: those that fit into the padded image, with ceil_mode also the one that
// reaches beyond it, unless that would start right of the image and its left padding (PyTorch).
WindowAxis axis_of(const Tensor& x, const PoolGeometry& g, int axis, const char* op) {
  const size_t a = size_t(axis);
  WindowAxis w;
  w.in = x.size(axis + 1);
  w.kernel = g.kernel[a];
  w.stride = g.stride[a];
  w.padding = g.padding[a];
  w.count_padding = g.count_include_pad;
  check(w.kernel >= 1 && w.stride >= 1 && w.padding >= 0 && 2 * w.padding <= w.kernel, op,
        ": kernel ", w.kernel, ", stride ", w.stride, ", padding ", w.padding,
        " (padding may be half the kernel)");
  const int64_t room = w.in + 2 * w.padding - w.kernel + (g.ceil_mode ? w.stride - 1 : 0);
  check(w.in > 0 && room >= 0, op, ": a kernel of ", w.kernel, " does not fit into ", x.shape());
  w.out = room / w.stride + 1;
  if (g.ceil_mode && (w.out - 1) * w.stride >= w.in + w.padding) --w.out;
  return w;
}

WindowAxis adaptive_axis(int64_t in, int64_t out) {
  WindowAxis w;
  w.in = in;
  w.out = out;
  w.adaptive = true;
  return w;
}

std::vector<Spec> infer_windows(const Tensor& x, const WindowAxis& rows,
                                const WindowAxis& columns) {
  return {{{x.size(0), rows.out, columns.out, x.size(3)}, x.dtype()}};
}

}  // namespace

std::vector<Spec> MaxPool2dOp::infer(std::span<const Tensor> in) const {
  return infer_windows(in[0], rows, columns);
}

void MaxPool2dOp::forward(const kernels::Exec& ex, std::span<const Tensor> in,
                          std::span<const Tensor> out) const {
  const Tensor& x = in[0];
  kernels::max_pool_forward(ex, out[0].out(), x.in(), {x.size(0), x.size(3), rows, columns});
}

std::vector<Spec> AvgPool2dOp::infer(std::span<const Tensor> in) const {
  return infer_windows(in[0], rows, columns);
}

void AvgPool2dOp::forward(const kernels::Exec& ex, std::span<const Tensor> in,
                          std::span<const Tensor> out) const {
  const Tensor& x = in[0];
  kernels::mean_pool_forward(ex, out[0].out(), x.in(), {x.size(0), x.size(3), rows, columns});
}

Tensor max_pool2d(const Tensor& x, const PoolGeometry& g) {
  check_rank(x, 4, "max_pool2d", "input");
  return apply_one(MaxPool2dOp(axis_of(x, g, 0, "max_pool2d"), axis_of(x, g, 1, "max_pool2d")),
                   {x});
}

Tensor avg_pool2d(const Tensor& x, const PoolGeometry& g) {
  check_rank(x, 4, "avg_pool2d", "input");
  return apply_one(AvgPool2dOp(axis_of(x, g, 0, "avg_pool2d"), axis_of(x, g, 1, "avg_pool2d")),
                   {x});
}

Tensor adaptive_avg_pool2d(const Tensor& x, int64_t height, int64_t width) {
  check_rank(x, 4, "adaptive_avg_pool2d", "input");
  check(height >= 1 && width >= 1 && x.size(1) >= 1 && x.size(2) >= 1, "adaptive_avg_pool2d: from ",
        x.shape(), " to ", height, " rows and ", width, " columns");
  return apply_one(AvgPool2dOp(adaptive_axis(x.size(1), height), adaptive_axis(x.size(2), width)),
                   {x});
}

}  // namespace limber
