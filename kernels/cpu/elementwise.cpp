// Element by element: the first kernels to read.
//
// Each function splits its n elements over the threads and walks its part one vector at a time;
// for_lanes hands the last, partial vector to the same body.
#include "kernels/elementwise.h"

#include "kernels/cpu/simd.h"
#include "kernels/cpu/unary.h"

namespace limber::kernels::cpu::LIMBER_ISA {
namespace {

// Below this many elements a second thread costs more than it saves.
constexpr int64_t kGrain = 16384;

template <class T, class F>
void row(const F& f, T* y, const T* a, const T* b, int64_t n, bool step_a, bool step_b) {
  for_lanes<T>(n, [&](int64_t i, int64_t m) {
    const Vec<T> va = step_a ? load(a + i, m) : splat(*a);
    const Vec<T> vb = step_b ? load(b + i, m) : splat(*b);
    store(y + i, f(va, vb), m);
  });
}

// All rows (runs of the last dimension) in [begin, end): the offsets of the operands follow from
// the row's coordinates.
template <class T, class F>
void rows(const F& f, T* y, const T* a, const T* b, const Broadcast& s, int64_t begin,
          int64_t end) {
  const int last = s.rank - 1;
  const int64_t n = s.extent[last];
  for (int64_t r = begin; r < end; ++r) {
    int64_t rest = r, at_a = 0, at_b = 0;
    for (int d = last - 1; d >= 0; --d) {
      const int64_t index = rest % s.extent[d];
      rest /= s.extent[d];
      at_a += index * s.stride_a[d];
      at_b += index * s.stride_b[d];
    }
    row(f, y + r * n, a + at_a, b + at_b, n, s.stride_a[last] != 0, s.stride_b[last] != 0);
  }
}

template <class T, class F>
void binary(const Exec& ex, const F& f, T* y, const T* a, const T* b, const Broadcast& s) {
  const int64_t n = s.extent[s.rank - 1];
  if (s.rank == 1) {
    const int64_t step_a = s.stride_a[0], step_b = s.stride_b[0];
    parallel_for(ex, n, kGrain, [&](int64_t begin, int64_t end) {
      row(f, y + begin, a + begin * step_a, b + begin * step_b, end - begin, step_a != 0,
          step_b != 0);
    });
    return;
  }
  int64_t count = 1;
  for (int d = 0; d < s.rank - 1; ++d) count *= s.extent[d];
  parallel_for(ex, count, kGrain / (n + 1) + 1,
               [&](int64_t begin, int64_t end) { rows(f, y, a, b, s, begin, end); });
}

}  // namespace

void unary_forward(const Exec& ex, UnaryArgs args, Out y, In x, int64_t n) {
  by_float_type(x.dtype, [&]<class T>(T) {
    by_unary<T>(args, [&](const auto& f) {
      parallel_for(ex, n, kGrain, [&](int64_t begin, int64_t end) {
        const T* from = x.as<T>() + begin;
        T* to = y.as<T>() + begin;
        for_lanes<T>(end - begin,
                     [&](int64_t i, int64_t m) { store(to + i, f.value(load(from + i, m)), m); });
      });
    });
  });
}

void unary_backward(const Exec& ex, UnaryArgs args, Out dx, In dy, In saved, int64_t n) {
  by_float_type(dx.dtype, [&]<class T>(T) {
    by_unary<T>(args, [&](const auto& f) {
      parallel_for(ex, n, kGrain, [&](int64_t begin, int64_t end) {
        const T *grad = dy.as<T>() + begin, *s = saved.as<T>() + begin;
        T* to = dx.as<T>() + begin;
        for_lanes<T>(end - begin, [&](int64_t i, int64_t m) {
          store(to + i, load(grad + i, m) * f.slope(load(s + i, m)), m);
        });
      });
    });
  });
}

void binary_forward(const Exec& ex, Binary f, Out y, In a, In b, const Broadcast& s) {
  by_float_type(y.dtype, [&]<class T>(T) {
    const auto run = [&](const auto& function) {
      binary(ex, function, y.as<T>(), a.as<T>(), b.as<T>(), s);
    };
    using V = Vec<T>;
    const V one = splat(T(1)), zero = splat(T(0));
    switch (f) {
      case Binary::add:
        return run([](V p, V q) { return p + q; });
      case Binary::sub:
        return run([](V p, V q) { return p - q; });
      case Binary::mul:
        return run([](V p, V q) { return p * q; });
      case Binary::div:
        return run([](V p, V q) { return p / q; });
      case Binary::power:
        return run([](V p, V q) {
          for (int i = 0; i < kLanes<T>; ++i) p[i] = T(__builtin_pow(p[i], q[i]));
          return p;
        });
      case Binary::maximum:
        return run([](V p, V q) { return max(p, q); });
      case Binary::minimum:
        return run([](V p, V q) { return min(p, q); });
      case Binary::greater:
        return run([=](V p, V q) { return p > q ? one : zero; });
      case Binary::greater_equal:
        return run([=](V p, V q) { return p >= q ? one : zero; });
      case Binary::equal:
        return run([=](V p, V q) { return p == q ? one : zero; });
    }
  });
}

void where_forward(const Exec& ex, Out y, In mask, In a, In b, int64_t n) {
  by_float_type(y.dtype, [&]<class T>(T) {
    parallel_for(ex, n, kGrain, [&](int64_t begin, int64_t end) {
      for_lanes<T>(end - begin, [&](int64_t i, int64_t m) {
        const int64_t at = begin + i;
        const Vec<T> take = load(mask.as<T>() + at, m);
        store(y.as<T>() + at, take != 0 ? load(a.as<T>() + at, m) : load(b.as<T>() + at, m), m);
      });
    });
  });
}

}  // namespace limber::kernels::cpu::LIMBER_ISA
