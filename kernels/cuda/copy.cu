// Strided copies, one value everywhere, and conversions between element types.
#include "kernels/copy.h"

#include "kernels/cuda/launch.cuh"

namespace limber::kernels::cuda {
namespace {

// Item i of the walk, taken apart into its indices, names one element on each side.
template <class Word>
__global__ void strided_copy_kernel(StridedCopy c, Word* y, const Word* x, int64_t n) {
  for (for_each_item(i, n)) {
    int64_t rest = i, at_y = c.start_y, at_x = c.start_x;
    for (int d = c.rank - 1; d >= 0; --d) {
      const int64_t index = rest % c.extent[d];
      rest /= c.extent[d];
      at_y += index * c.stride_y[d];
      at_x += index * c.stride_x[d];
    }
    y[at_y] = x[at_x];
  }
}

template <class T>
__global__ void fill_kernel(T* y, int64_t n, T value) {
  for (for_each_item(i, n)) y[i] = value;
}

template <class T>
__device__ __forceinline__ T plain(T v) {
  return v;
}
__device__ __forceinline__ float plain(f16 v) { return widen(v); }
__device__ __forceinline__ float plain(bf16 v) { return widen(v); }

template <class To>
struct Convert {
  template <class From>
  static __device__ __forceinline__ To from(From v) {
    return static_cast<To>(v);
  }
};
template <>
struct Convert<f16> {
  template <class From>
  static __device__ __forceinline__ f16 from(From v) {
    return narrow<f16>(static_cast<float>(v));
  }
};
template <>
struct Convert<bf16> {
  template <class From>
  static __device__ __forceinline__ bf16 from(From v) {
    return narrow<bf16>(static_cast<float>(v));
  }
};

template <class To, class From>
__global__ void convert_kernel(To* y, const From* x, int64_t n) {
  for (for_each_item(i, n)) y[i] = Convert<To>::from(plain(x[i]));
}

template <class Body>
void by_any_type(DType dtype, const Body& body) {
  switch (dtype) {
    case DType::f32:
      return body(float{});
    case DType::f64:
      return body(double{});
    case DType::f16:
      return body(f16{});
    case DType::bf16:
      return body(bf16{});
    case DType::i64:
      return body(int64_t{});
    case DType::i32:
      return body(int32_t{});
    case DType::u8:
      return body(uint8_t{});
    case DType::boolean:
      return body(bool{});
  }
}

template <class T>
T value_of(double value) {
  return static_cast<T>(value);
}
template <>
f16 value_of<f16>(double value) {
  return {to_f16(float(value))};
}
template <>
bf16 value_of<bf16>(double value) {
  return {to_bf16(float(value))};
}

}  // namespace

void strided_copy(const Exec& ex, const StridedCopy& c, Out y, In x) {
  int64_t n = 1;
  for (int d = 0; d < c.rank; ++d) n *= c.extent[d];
  by_word(size_of(y.dtype), [&]<class Word>(Word) {
    launch(ex, one_each(n), strided_copy_kernel<Word>, c, y.as<Word>(), x.as<Word>(), n);
  });
}

void fill(const Exec& ex, Out y, int64_t n, double value) {
  by_any_type(y.dtype, [&]<class T>(T) {
    launch(ex, one_each(n), fill_kernel<T>, y.as<T>(), n, value_of<T>(value));
  });
}

void convert(const Exec& ex, Out y, In x, int64_t n) {
  by_any_type(y.dtype, [&]<class To>(To) {
    by_any_type(x.dtype, [&]<class From>(From) {
      launch(ex, one_each(n), convert_kernel<To, From>, y.as<To>(), x.as<From>(), n);
    });
  });
}

}  // namespace limber::kernels::cuda
