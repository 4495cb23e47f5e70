// Element types, and how a kernel is handed memory: a pointer and its type, nothing else.
//
// This header is compiled into every instruction-set variant of every kernel, so all it defines
// is always inlined: an out-of-line copy compiled for AVX-512 could otherwise be the one the
// linker keeps for the whole program.
#pragma once

#include <cstddef>
#include <cstdint>

// In .cu files the same helpers serve GPU and host.
#if defined(__CUDACC__)
#define LIMBER_INLINE __host__ __device__ inline __attribute__((always_inline))
#else
#define LIMBER_INLINE inline __attribute__((always_inline))
#endif

namespace limber {

// Where memory lies and work runs: the processor, or a CUDA device by its number.
enum class DeviceType : uint8_t { cpu, cuda };
struct Device {
  DeviceType type = DeviceType::cpu;
  int index = 0;
  LIMBER_INLINE bool is_cuda() const { return type == DeviceType::cuda; }
  friend LIMBER_INLINE bool operator==(const Device& a, const Device& b) {
    return a.type == b.type && a.index == b.index;
  }
};

enum class DType : uint8_t { f32, f64, f16, bf16, i64, i32, u8, boolean };

LIMBER_INLINE constexpr size_t size_of(DType dtype) {
  switch (dtype) {
    case DType::f64:
    case DType::i64:
      return 8;
    case DType::f32:
    case DType::i32:
      return 4;
    case DType::f16:
    case DType::bf16:
      return 2;
    case DType::u8:
    case DType::boolean:
      return 1;
  }
  return 0;
}

template <class T>
struct DTypeOf;
template <>
struct DTypeOf<float> {
  static constexpr DType value = DType::f32;
};
template <>
struct DTypeOf<double> {
  static constexpr DType value = DType::f64;
};
template <>
struct DTypeOf<int64_t> {
  static constexpr DType value = DType::i64;
};
template <>
struct DTypeOf<int32_t> {
  static constexpr DType value = DType::i32;
};
template <>
struct DTypeOf<uint8_t> {
  static constexpr DType value = DType::u8;
};
template <>
struct DTypeOf<bool> {
  static constexpr DType value = DType::boolean;
};

namespace kernels {

// What a kernel reads. A null pointer is an argument left out (a convolution without bias).
struct In {
  const void* data = nullptr;
  DType dtype = DType::f32;
  template <class T>
  LIMBER_INLINE const T* as() const {
    return static_cast<const T*>(data);
  }
};

// What a kernel writes. A null pointer is a result nobody wants.
struct Out {
  void* data = nullptr;
  DType dtype = DType::f32;
  template <class T>
  LIMBER_INLINE T* as() const {
    return static_cast<T*>(data);
  }
};

}  // namespace kernels
}  // namespace limber
