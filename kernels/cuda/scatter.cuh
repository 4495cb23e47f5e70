// Sums to which any thread may add, such as the gradient of an image that is read anywhere. Sums of
// floats would depend on the order in which the threads arrive; so the terms are rounded to
// multiples of 2^-40 of a bound of theirs and added as integers, whose sum has no order.
#pragma once

#include "kernels/cuda/launch.cuh"
#include "kernels/cuda/reduce.cuh"

namespace limber::kernels::cuda {

// The sums as a kernel sees them.
struct Scatter {
  unsigned long long* sums;
  unsigned* bound;  // the bits of a float, which order like the numbers; a NaN's are the largest

  // What a term is multiplied with before rounding: 2^40 over the power of two above the bound.
  __device__ double scale() const {
    const float largest = __uint_as_float(*bound);
    return largest > 0 ? exp2(40.0 - ceil(log2(double(largest)))) : 1.0;
  }
  __device__ void add(int64_t at, float term, double by_scale) const {
    const long long whole = llrint(double(term) * by_scale);
    atomicAdd(&sums[at], static_cast<unsigned long long>(whole));
  }
};

// *bound = the largest of magnitude(i).
template <class Magnitude>
__global__ void scatter_bound_kernel(unsigned* bound, Magnitude magnitude, int64_t n) {
  float own = 0;
  for (for_each_item(i, n)) own = Larger()(own, magnitude(i));
  own = over_block(own, 0.0f, Larger());
  if (threadIdx.x == 0) atomicMax(bound, __float_as_uint(own));
}

// Where a term was infinite or none, no sum is one.
template <class T>
__global__ void scatter_result_kernel(T* y, Scatter from, int64_t n) {
  const bool finite = __uint_as_float(*from.bound) <= 3.402823466e38f;
  const double scale = from.scale();
  for (for_each_item(i, n))
    y[i] = narrow<T>(finite ? float(double(static_cast<long long>(from.sums[i])) / scale) : NAN);
}

// n sums: bound(), then a kernel that adds to view(), then store().
class ScatterSums {
 public:
  ScatterSums(const Exec& ex, int64_t n) : ex_(ex), n_(n), sums_(ex, n), bound_(ex, 1) {
    gpu::zero(ex.device.index, sums_.data(), size_t(n) * sizeof(unsigned long long));
    gpu::zero(ex.device.index, bound_.data(), sizeof(unsigned));
  }
  Scatter view() const { return {sums_.data(), bound_.data()}; }
  // No term is larger than the largest magnitude(i) of `count`, all of them >= 0 or NaN.
  template <class Magnitude>
  void bound(const Magnitude& magnitude, int64_t count) const {
    launch(ex_, one_each(count), scatter_bound_kernel<Magnitude>, bound_.data(), magnitude, count);
  }
  template <class T>
  void store(T* y) const {
    launch(ex_, one_each(n_), scatter_result_kernel<T>, y, view(), n_);
  }

 private:
  const Exec& ex_;
  int64_t n_;
  Scratch<unsigned long long> sums_;
  Scratch<unsigned> bound_;
};

}  // namespace limber::kernels::cuda
