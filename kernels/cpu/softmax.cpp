// Softmax: subtracting the row's maximum first keeps every exponential at or below 1.
#include "kernels/softmax.h"

#include "kernels/cpu/simd.h"

namespace limber::kernels::cpu::LIMBER_ISA {
namespace {

template <class T>
T row_max(const T* x, int64_t n) {
  T best = x[0];
  int64_t i = 0;
  if (n >= kLanes<T>) {
    Vec<T> top = load(x);
    for (i = kLanes<T>; i + kLanes<T> <= n; i += kLanes<T>) top = max(top, load(x + i));
    best = reduce_max<T>(top);
  }
  for (; i < n; ++i) best = x[i] > best ? x[i] : best;
  return best;
}

// y = exp(x - top); returns the sum of y. The tail's unused lanes are left out of the sum.
template <class T>
T exp_row(T* y, const T* x, T top, int64_t n) {
  Vec<T> total{};
  for_lanes<T>(n, [&](int64_t i, int64_t m) {
    const Vec<T> e = exp(load(x + i, m) - top);
    store(y + i, e, m);
    total += load(y + i, m);
  });
  return reduce_add<T>(total);
}

template <class T>
T dot(const T* a, const T* b, int64_t n) {
  Vec<T> total{};
  for_lanes<T>(n, [&](int64_t i, int64_t m) { total += load(a + i, m) * load(b + i, m); });
  return reduce_add<T>(total);
}

template <class T>
T sum(const T* a, int64_t n) {
  Vec<T> total{};
  for_lanes<T>(n, [&](int64_t i, int64_t m) { total += load(a + i, m); });
  return reduce_add<T>(total);
}

// body(r) for every row, a few rows to a thread at least.
template <class Body>
void for_rows(const Exec& ex, int64_t rows, int64_t cols, const Body& body) {
  parallel_for(ex, rows, 4096 / (cols + 1) + 1, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) body(r);
  });
}

}  // namespace

void softmax_forward(const Exec& ex, Out y, In x, int64_t rows, int64_t cols) {
  by_float_type(x.dtype, [&]<class T>(T) {
    for_rows(ex, rows, cols, [&](int64_t r) {
      const T* from = x.as<T>() + r * cols;
      T* to = y.as<T>() + r * cols;
      const T total = exp_row(to, from, row_max(from, cols), cols);
      const T inverse = 1 / total;
      for_lanes<T>(cols,
                   [&](int64_t i, int64_t m) { store(to + i, load(to + i, m) * inverse, m); });
    });
  });
}

void softmax_backward(const Exec& ex, Out dx, In dy, In y, int64_t rows, int64_t cols) {
  by_float_type(dx.dtype, [&]<class T>(T) {
    for_rows(ex, rows, cols, [&](int64_t r) {
      const T *grad = dy.as<T>() + r * cols, *p = y.as<T>() + r * cols;
      T* to = dx.as<T>() + r * cols;
      const T mean = dot(grad, p, cols);
      for_lanes<T>(cols, [&](int64_t i, int64_t m) {
        store(to + i, load(p + i, m) * (load(grad + i, m) - mean), m);
      });
    });
  });
}

void log_softmax_forward(const Exec& ex, Out y, In x, int64_t rows, int64_t cols) {
  by_float_type(x.dtype, [&]<class T>(T) {
    for_rows(ex, rows, cols, [&](int64_t r) {
      const T* from = x.as<T>() + r * cols;
      T* to = y.as<T>() + r * cols;
      const T top = row_max(from, cols);
      const Vec<T> total = splat(exp_row(to, from, top, cols));
      const T shift = top + log(total)[0];
      for_lanes<T>(cols,
                   [&](int64_t i, int64_t m) { store(to + i, load(from + i, m) - shift, m); });
    });
  });
}

void log_softmax_backward(const Exec& ex, Out dx, In dy, In y, int64_t rows, int64_t cols) {
  by_float_type(dx.dtype, [&]<class T>(T) {
    for_rows(ex, rows, cols, [&](int64_t r) {
      const T *grad = dy.as<T>() + r * cols, *logs = y.as<T>() + r * cols;
      T* to = dx.as<T>() + r * cols;
      const T total = sum(grad, cols);
      for_lanes<T>(cols, [&](int64_t i, int64_t m) {
        store(to + i, load(grad + i, m) - exp(load(logs + i, m)) * total, m);
      });
    });
  });
}

}  // namespace limber::kernels::cpu::LIMBER_ISA
