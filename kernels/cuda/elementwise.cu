// Element by element: one thread per number, grid-stride.
#include "kernels/elementwise.h"

#include "kernels/cuda/launch.cuh"
#include "kernels/cuda/unary.cuh"

namespace limber::kernels::cuda {
namespace {

template <class T, class F>
__global__ void unary_kernel(F f, T* y, const T* x, int64_t n) {
  for (for_each_item(i, n)) y[i] = narrow<T>(f.value(widen(x[i])));
}

struct Sum {
  __device__ float operator()(float a, float b) const { return a + b; }
};
struct Difference {
  __device__ float operator()(float a, float b) const { return a - b; }
};
struct Product {
  __device__ float operator()(float a, float b) const { return a * b; }
};
struct Quotient {
  __device__ float operator()(float a, float b) const { return a / b; }
};
struct Power {
  __device__ float operator()(float a, float b) const { return powf(a, b); }
};
struct Maximum {
  __device__ float operator()(float a, float b) const { return a > b ? a : b; }
};
struct Minimum {
  __device__ float operator()(float a, float b) const { return a < b ? a : b; }
};
struct Greater {
  __device__ float operator()(float a, float b) const { return a > b ? 1.0f : 0.0f; }
};
struct GreaterEqual {
  __device__ float operator()(float a, float b) const { return a >= b ? 1.0f : 0.0f; }
};
struct Equal {
  __device__ float operator()(float a, float b) const { return a == b ? 1.0f : 0.0f; }
};

template <class Body>
void by_binary(Binary f, const Body& body) {
  switch (f) {
    case Binary::add:
      return body(Sum{});
    case Binary::sub:
      return body(Difference{});
    case Binary::mul:
      return body(Product{});
    case Binary::div:
      return body(Quotient{});
    case Binary::power:
      return body(Power{});
    case Binary::maximum:
      return body(Maximum{});
    case Binary::minimum:
      return body(Minimum{});
    case Binary::greater:
      return body(Greater{});
    case Binary::greater_equal:
      return body(GreaterEqual{});
    case Binary::equal:
      return body(Equal{});
  }
}

// Element i of the result, taken apart into its indices, names one element of each operand.
template <class T, class F>
__global__ void binary_kernel(F f, T* y, const T* a, const T* b, Broadcast shape, int64_t n) {
  for (for_each_item(i, n)) {
    int64_t rest = i, at_a = 0, at_b = 0;
    for (int d = shape.rank - 1; d >= 0; --d) {
      const int64_t index = rest % shape.extent[d];
      rest /= shape.extent[d];
      at_a += index * shape.stride_a[d];
      at_b += index * shape.stride_b[d];
    }
    y[i] = narrow<T>(f(widen(a[at_a]), widen(b[at_b])));
  }
}

// + both operands as contiguous as the result, as most are: no division.
template <class T, class F>
__global__ void binary_flat_kernel(F f, T* y, const T* a, const T* b, int64_t n) {
  for (for_each_item(i, n)) y[i] = narrow<T>(f(widen(a[i]), widen(b[i])));
}

template <class T>
__global__ void where_kernel(T* y, const T* mask, const T* a, const T* b, int64_t n) {
  for (for_each_item(i, n)) y[i] = widen(mask[i]) != 0 ? a[i] : b[i];
}

}  // namespace

void unary_forward(const Exec& ex, UnaryArgs args, Out y, In x, int64_t n) {
  by_float_type(ex, x.dtype, [&]<class T>(T) {
    by_unary(args, [&](auto f) {
      launch(ex, one_each(n), unary_kernel<T, decltype(f)>, f, y.as<T>(), x.as<T>(), n);
    });
  });
}

void binary_forward(const Exec& ex, Binary which, Out y, In a, In b, const Broadcast& shape) {
  int64_t n = 1;
  for (int d = 0; d < shape.rank; ++d) n *= shape.extent[d];
  const bool flat = shape.rank == 1 && shape.stride_a[0] == 1 && shape.stride_b[0] == 1;
  by_float_type(ex, a.dtype, [&]<class T>(T) {
    by_binary(which, [&](auto f) {
      using F = decltype(f);
      if (flat) {
        launch(ex, one_each(n), binary_flat_kernel<T, F>, f, y.as<T>(), a.as<T>(), b.as<T>(), n);
      } else {
        launch(ex, one_each(n), binary_kernel<T, F>, f, y.as<T>(), a.as<T>(), b.as<T>(), shape, n);
      }
    });
  });
}

void where_forward(const Exec& ex, Out y, In mask, In a, In b, int64_t n) {
  by_float_type(ex, a.dtype, [&]<class T>(T) {
    launch(ex, one_each(n), where_kernel<T>, y.as<T>(), mask.as<T>(), a.as<T>(), b.as<T>(), n);
  });
}

}  // namespace limber::kernels::cuda
