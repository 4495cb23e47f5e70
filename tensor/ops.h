// Every public operation. Tensors are contiguous; images are (N, H, W, C). Operations run at once,
// throw limber::Error naming the op and the shapes where their inputs do not fit, and are seen by
// the thread's recorder (autograd). f32 and f64 only, unless a line says otherwise.
#pragma once

#include <array>
#include <initializer_list>
#include <span>
#include <utility>
#include <vector>

#include "tensor/tensor.h"

namespace limber {

// ---- element-wise, one operand: the result has the shape of x
Tensor relu(const Tensor& x);
Tensor relu6(const Tensor& x);
Tensor leaky_relu(const Tensor& x, double slope = 0.01);
Tensor silu(const Tensor& x);
Tensor gelu(const Tensor& x);  // with erf, not the tanh approximation
Tensor sigmoid(const Tensor& x);
Tensor tanh(const Tensor& x);
Tensor hard_swish(const Tensor& x);
Tensor hard_sigmoid(const Tensor& x, double bias = 3, double divisor = 6);  // clip((x+b)/d, 0, 1)
Tensor exp(const Tensor& x);
Tensor log(const Tensor& x);
Tensor log1p(const Tensor& x);
Tensor sqrt(const Tensor& x);
Tensor square(const Tensor& x);
Tensor pow(const Tensor& x, double exponent);
Tensor reciprocal(const Tensor& x);
Tensor sin(const Tensor& x);
Tensor cos(const Tensor& x);
Tensor erf(const Tensor& x);
Tensor softplus(const Tensor& x);     // log(1 + e^x)
Tensor log_sigmoid(const Tensor& x);  // log(1 / (1 + e^-x))
Tensor abs(const Tensor& x);
Tensor clamp(const Tensor& x, double low, double high);  // gradient 1 inside, ends included
Tensor scale(const Tensor& x, double factor, double offset = 0);  // factor x + offset
Tensor operator-(const Tensor& x);
Tensor sign(const Tensor& x);  // no gradient, nor have the next three
Tensor floor(const Tensor& x);
Tensor round(const Tensor& x);        // halves to even
Tensor is_positive(const Tensor& x);  // 1 or 0

// ---- element-wise, two operands of broadcast shapes
Tensor operator+(const Tensor& a, const Tensor& b);
Tensor operator-(const Tensor& a, const Tensor& b);
Tensor operator*(const Tensor& a, const Tensor& b);
Tensor operator/(const Tensor& a, const Tensor& b);
// a^b. Where b = 0 the gradient of a is 0, where a = 0 that of b is 0 (as PyTorch does for b >= 0).
Tensor pow(const Tensor& a, const Tensor& b);
Tensor maximum(const Tensor& a, const Tensor& b);  // gradient halved between equal operands
Tensor minimum(const Tensor& a, const Tensor& b);
Tensor greater(const Tensor& a, const Tensor& b);        // 1 or 0 in the operands' type; no
Tensor greater_equal(const Tensor& a, const Tensor& b);  // gradient, nor has the next
Tensor equal(const Tensor& a, const Tensor& b);
inline Tensor operator*(const Tensor& x, double factor) { return scale(x, factor); }
inline Tensor operator*(double factor, const Tensor& x) { return scale(x, factor); }
inline Tensor operator/(const Tensor& x, double divisor) { return scale(x, 1 / divisor); }
inline Tensor operator+(const Tensor& x, double offset) { return scale(x, 1, offset); }
inline Tensor operator-(const Tensor& x, double offset) { return scale(x, 1, -offset); }
inline Tensor operator-(double offset, const Tensor& x) { return scale(x, -1, offset); }

// mask, a, b: one shape. a where mask is not 0, else b. The mask has no gradient.
Tensor where(const Tensor& mask, const Tensor& a, const Tensor& b);

// ---- shape
Tensor reshape(const Tensor& x, std::initializer_list<int64_t> dims);  // one extent may be -1
Tensor reshape(const Tensor& x, std::span<const int64_t> dims);
Tensor reshape(const Tensor& x, const Shape& shape);

// Rearrangements copy (but for slices that are one piece of x: views) and take every element type;
// `dim` may count from the end.
Tensor permute(const Tensor& x, std::initializer_list<int> dims);  // y's dimension i is x's dims[i]
Tensor permute(const Tensor& x, std::span<const int> dims);
Tensor transpose(const Tensor& x, int dim_a, int dim_b);
Tensor expand(const Tensor& x, const Shape& shape);  // NumPy broadcasting to `shape`
Tensor concat(std::span<const Tensor> parts, int dim);
Tensor concat(std::initializer_list<Tensor> parts, int dim);
Tensor stack(std::span<const Tensor> parts, int dim);  // along a new dimension
// Every step-th element from begin on, before end; negative begin and end count from the end, and
// both are clamped to the extent, as in Python.
Tensor slice(const Tensor& x, int dim, int64_t begin, int64_t end, int64_t step = 1);
std::vector<Tensor> split(const Tensor& x, std::span<const int64_t> extents, int dim);
std::vector<Tensor> chunk(const Tensor& x, int parts, int dim);  // equal extents, or it throws
// Constant border: {before, after} per dimension, negative amounts crop.
Tensor pad(const Tensor& x, std::span<const std::pair<int64_t, int64_t>> amounts, double value = 0);
Tensor pad_image(const Tensor& x, int64_t top, int64_t bottom, int64_t left, int64_t right,
                 double value = 0);                    // x: (N, H, W, C)
Tensor flip(const Tensor& x, int dim);                 // reversed along dim
Tensor roll(const Tensor& x, int dim, int64_t shift);  // torch.roll: y[i] = x[i - shift]
// indices: i64 (n,), each in [0, x.size(dim)); repeats allowed (their gradients add up).
Tensor index_select(const Tensor& x, int dim, const Tensor& indices);
// torch.gather: y[..., i, ...] = x[..., index[..., i, ...], ...]. index: i64 of x's rank, equal to
// x's shape but for `dim`.
Tensor gather(const Tensor& x, int dim, const Tensor& index);
// (N, H, W, C r r) -> (N, r H, r W, C); the channel order of torch.nn.PixelShuffle.
Tensor pixel_shuffle(const Tensor& x, int r);

// ---- reductions
Tensor sum(const Tensor& x);  // of all elements, shape ()
Tensor mean(const Tensor& x);
Tensor sum(const Tensor& x, std::initializer_list<int> dims, bool keep_dims = false);
Tensor mean(const Tensor& x, std::initializer_list<int> dims, bool keep_dims = false);
Tensor sum_to(const Tensor& x, const Shape& shape);  // sums what broadcasting `shape` repeated

Tensor max(const Tensor& x, int dim, bool keep_dims = false);  // gradient to the first maximum
Tensor min(const Tensor& x, int dim, bool keep_dims = false);
Tensor argmax(const Tensor& x, int dim);  // i64, the first maximum; no gradient
// The k largest along the last dimension, descending, and their i64 indices (without gradient).
std::pair<Tensor, Tensor> topk(const Tensor& x, int64_t k);
Tensor norm(const Tensor& x, int dim, bool keep_dims = false);  // Euclidean; gradient 0 at 0

// ---- softmax over the last dimension
Tensor softmax(const Tensor& x);
Tensor log_softmax(const Tensor& x);

// ---- products
// a: (..., M, K), b: (..., K, N) or (K, N) -> (..., M, N); a flag says that the operand is stored
// with its last two dimensions swapped.
Tensor matmul(const Tensor& a, const Tensor& b, bool trans_a = false, bool trans_b = false);
// x: (..., I), weight: (O, I), bias: (O,) or undefined -> (..., O)
Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias);
// softmax(scale q k^T + bias) v, fused.  q: (B, H, L, D), k: (B, H, S, D), v: (B, H, S, E),
// bias: undefined or broadcast to (B, H, L, S), with gradient -> (B, H, L, E)
Tensor attention(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& bias,
                 double scale);

// ---- convolution.  x: (N, H, W, C), bias: (O,) or undefined
struct ConvGeometry {
  std::array<int, 2> stride{1, 1}, padding{0, 0}, dilation{1, 1};  // rows, columns
  int groups = 1;
};
// weight: (O, kH, kW, C / groups) -> (N, H', W', O), H' = (H + 2 p - d (k - 1) - 1) / s + 1
Tensor conv2d(const Tensor& x, const Tensor& weight, const Tensor& bias, const ConvGeometry& g);
// weight: (C, kH, kW, O / groups) -> H' = (H - 1) s - 2 p + d (k - 1) + output_padding + 1
Tensor conv_transpose2d(const Tensor& x, const Tensor& weight, const Tensor& bias,
                        const ConvGeometry& g, std::array<int, 2> output_padding = {0, 0});
// Every tap reads x at a place of its own: offset (N, H', W', O kH kW 2) holds (rows, columns) to
// add per offset group and tap; weight as for conv2d. torchvision.ops.deform_conv2d.
Tensor deform_conv2d(const Tensor& x, const Tensor& offset, const Tensor& weight,
                     const Tensor& bias, const ConvGeometry& g, int offset_groups = 1);

// ---- normalisation.  Channels are the last dimension; weight and bias: (C,), or both undefined
// where a line allows it.
// Training: statistics of the batch over all but the last dimension; running_mean and running_var
// (may be undefined) move towards them by `momentum` (unbiased variance), in place. Otherwise the
// running statistics are used.
Tensor batch_norm(const Tensor& x, const Tensor& weight, const Tensor& bias,
                  const Tensor& running_mean, const Tensor& running_var, bool training,
                  double momentum = 0.1, double eps = 1e-5);
Tensor layer_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, double eps = 1e-5);
Tensor group_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, int groups,
                  double eps = 1e-5);  // x: (N, ..., C)
// x / max(|x| D^-0.5, eps) * g over the last dimension, g: (1,). arXiv 1910.05895.
Tensor scale_norm(const Tensor& x, const Tensor& g, double eps = 1e-5);

// ---- pooling and resizing.  x: (N, H, W, C)
struct PoolGeometry {
  std::array<int, 2> kernel{2, 2}, stride{2, 2}, padding{0, 0};
  bool ceil_mode = false;
  bool count_include_pad = true;  // of averages
};
Tensor max_pool2d(const Tensor& x, const PoolGeometry& g);  // padding never wins
Tensor avg_pool2d(const Tensor& x, const PoolGeometry& g);
Tensor adaptive_avg_pool2d(const Tensor& x, int64_t height, int64_t width);
enum class Interpolation : uint8_t { nearest, bilinear, bicubic };
// torch.nn.functional.interpolate; align_corners is ignored by nearest.
Tensor resize(const Tensor& x, int64_t height, int64_t width, Interpolation mode,
              bool align_corners = false);

// ---- random (tensor/random.h draws): identity where p is 0 or `training` is false
Tensor dropout(const Tensor& x, double p, bool training);
Tensor drop_path(const Tensor& x, double p, bool training);  // whole samples of dimension 0

// ---- parametric ReLU.  slope: (1,) or (C,)
Tensor prelu(const Tensor& x, const Tensor& slope);

}  // namespace limber
