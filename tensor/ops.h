// Every public operation. Tensors are contiguous; images are (N, H, W, C). Operations run at once,
// throw limber::Error naming the op and the shapes where their inputs do not fit, and are seen by
// the thread's recorder (autograd). f32 and f64 only, unless a line says otherwise.
#pragma once

#include <initializer_list>
#include <span>
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

// ---- reductions
Tensor sum(const Tensor& x);  // of all elements, shape ()
Tensor mean(const Tensor& x);
Tensor sum(const Tensor& x, std::initializer_list<int> dims, bool keep_dims = false);
Tensor mean(const Tensor& x, std::initializer_list<int> dims, bool keep_dims = false);
Tensor sum_to(const Tensor& x, const Shape& shape);  // sums what broadcasting `shape` repeated

// ---- softmax over the last dimension
Tensor softmax(const Tensor& x);
Tensor log_softmax(const Tensor& x);

// ---- products
// a: (..., M, K), b: (..., K, N) or (K, N) -> (..., M, N); a flag says that the operand is stored
// with its last two dimensions swapped.
Tensor matmul(const Tensor& a, const Tensor& b, bool trans_a = false, bool trans_b = false);

}  // namespace limber
