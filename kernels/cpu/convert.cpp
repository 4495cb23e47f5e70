// One value everywhere, and numbers from one type to another.
#include "kernels/copy.h"
#include "kernels/cpu/simd.h"
#include "kernels/half.h"

namespace limber::kernels::cpu::LIMBER_ISA {
namespace {

constexpr int64_t kGrain = 16384;

// How the elements of a type are read and written as C++ numbers.
template <class T>
struct Plain {
  using Stored = T;
  static LIMBER_INLINE T read(T stored) { return stored; }
  template <class From>
  static LIMBER_INLINE T write(From value) {
    return static_cast<T>(value);
  }
};

struct Half {
  using Stored = uint16_t;
  static LIMBER_INLINE float read(uint16_t stored) { return from_f16(stored); }
  template <class From>
  static LIMBER_INLINE uint16_t write(From value) {
    return to_f16(static_cast<float>(value));
  }
};

struct Brain {
  using Stored = uint16_t;
  static LIMBER_INLINE float read(uint16_t stored) { return from_bf16(stored); }
  template <class From>
  static LIMBER_INLINE uint16_t write(From value) {
    return to_bf16(static_cast<float>(value));
  }
};

template <class Body>
LIMBER_INLINE void by_type(DType dtype, const Body& body) {
  switch (dtype) {
    case DType::f32:
      return body(Plain<float>{});
    case DType::f64:
      return body(Plain<double>{});
    case DType::f16:
      return body(Half{});
    case DType::bf16:
      return body(Brain{});
    case DType::i64:
      return body(Plain<int64_t>{});
    case DType::i32:
      return body(Plain<int32_t>{});
    case DType::u8:
      return body(Plain<uint8_t>{});
    case DType::boolean:
      return body(Plain<bool>{});
  }
}

}  // namespace

void fill(const Exec& ex, Out y, int64_t n, double value) {
  by_type(y.dtype, [&]<class Y>(Y) {
    using Stored = typename Y::Stored;
    const Stored stored = Y::write(value);
    Stored* to = y.as<Stored>();
    parallel_for(ex, n, kGrain, [=](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) to[i] = stored;
    });
  });
}

void convert(const Exec& ex, Out y, In x, int64_t n) {
  by_type(y.dtype, [&]<class Y>(Y) {
    by_type(x.dtype, [&]<class X>(X) {
      auto* to = y.as<typename Y::Stored>();
      const auto* from = x.as<typename X::Stored>();
      parallel_for(ex, n, kGrain, [=](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) to[i] = Y::write(X::read(from[i]));
      });
    });
  });
}

}  // namespace limber::kernels::cpu::LIMBER_ISA
