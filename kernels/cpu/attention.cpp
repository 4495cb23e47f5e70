// Attention, forward. The plain form is the definition, one query at a time in three steps; the
// baseline runs it. The fast form takes 64 queries at a time past blocks of 64 keys with a running
// maximum and sum (Dao et al. 2022, arXiv 2205.14135; Milakov and Gimelshein 2018, arXiv
// 1805.02867), so that scores live in the first-level cache only.
#include "kernels/attention.h"

#include "kernels/cpu/attention_blocks.h"
#include "kernels/cpu/simd.h"

namespace limber::kernels::cpu::LIMBER_ISA {
namespace {

// y[l] for one query: scores, softmax, weighted sum of the values. scores: (S,) of scratch.
template <class T>
void attend_plainly(const Attention& a, const Head<T>& head, int64_t l, T* y, T* lse, T* scores) {
  const T* q = head.q + l * a.D;
  T top = -__builtin_inff();
  for (int64_t j = 0; j < a.S; ++j) {
    scores[j] = T(a.scale) * dot(q, head.k + j * a.D, a.D);
    if (head.bias != nullptr) scores[j] += head.bias[l * a.stride_bias[2] + j * a.stride_bias[3]];
    top = scores[j] > top ? scores[j] : top;
  }
  Vec<T> sums{};
  for_lanes<T>(a.S, [&](int64_t j, int64_t m) {
    store(scores + j, exp(load(scores + j, m) - top), m);
    sums += load(scores + j, m);
  });
  const T total = reduce_add<T>(sums);
  *lse = top + log(splat(total))[0];
  for (int64_t e = 0; e < a.E; ++e) y[e] = 0;
  for (int64_t j = 0; j < a.S; ++j) {
    const T p = scores[j] / total;
    for (int64_t e = 0; e < a.E; ++e) y[e] += p * head.v[j * a.E + e];
  }
}

template <class T>
struct ForwardScratch {
  T *queries, *scores, *sums_of_values, *top, *total, *shrink;

  static size_t bytes(const Attention& a) {
    return size_t(kRows * (a.D + kKeys + a.E + 3)) * sizeof(T);
  }
  LIMBER_INLINE ForwardScratch(const Attention& a, void* memory)
      : queries(static_cast<T*>(memory)),
        scores(queries + kRows * a.D),
        sums_of_values(scores + kRows * kKeys),
        top(sums_of_values + kRows * a.E),
        total(top + kRows),
        shrink(total + kRows) {}
};

// Turns a block of scores into exponentials against the new running maximum; `shrink` is what the
// sums so far must be multiplied with.
template <class T>
void running_softmax(const ForwardScratch<T>& s, int64_t keys, int64_t width) {
  const Vec<T> none = splat(T(-__builtin_inff()));
  for (int64_t l = 0; l < width; l += kLanes<T>) {
    Vec<T> top = load(s.top + l);
    for (int64_t j = 0; j < keys; ++j) top = max(top, load(s.scores + j * kRows + l));
    const Vec<T> against = top == none ? splat(T(0)) : top;
    const Vec<T> shrink = exp(load(s.top + l) - against);
    Vec<T> total = load(s.total + l) * shrink;
    for (int64_t j = 0; j < keys; ++j) {
      const Vec<T> p = exp(load(s.scores + j * kRows + l) - against);
      store(s.scores + j * kRows + l, p);
      total += p;
    }
    store(s.top + l, top);
    store(s.total + l, total);
    store(s.shrink + l, shrink);
  }
}

template <class T>
void attend_block(const Attention& a, const Head<T>& head, int64_t row, int64_t rows, T* y, T* lse,
                  const ForwardScratch<T>& s) {
  const int64_t width = whole_vectors<T>(rows);
  transpose_rows(s.queries, head.q + row * a.D, rows, a.D, T(a.scale));
  for (int64_t l = 0; l < kRows; ++l) {
    s.top[l] = -__builtin_inff();
    s.total[l] = 0;
  }
  __builtin_memset(s.sums_of_values, 0, size_t(rows * a.E) * sizeof(T));
  for (int64_t key = 0; key < a.S; key += kKeys) {
    const Block block{row, rows, key, smaller(kKeys, a.S - key)};
    block_scores(s.scores, a, head, s.queries, block, width);
    running_softmax(s, block.keys, width);
    for (int64_t l = 0; key > 0 && l < rows; ++l) {
      T* sums = s.sums_of_values + l * a.E;
      const T factor = s.shrink[l];
      if (factor == 1) continue;
      for_lanes<T>(a.E,
                   [&](int64_t e, int64_t m) { store(sums + e, load(sums + e, m) * factor, m); });
    }
    add_product(s.sums_of_values, a.E, s.scores, 1, kRows, head.v + key * a.E, a.E, rows, a.E,
                block.keys);
  }
  for (int64_t l = 0; l < rows; ++l) {
    const T inverse = 1 / s.total[l];
    const T* sums = s.sums_of_values + l * a.E;
    T* to = y + l * a.E;
    for_lanes<T>(a.E, [&](int64_t e, int64_t m) { store(to + e, load(sums + e, m) * inverse, m); });
    lse[l] = s.top[l] + log(splat(s.total[l]))[0];
  }
}

}  // namespace

void attention_forward(const Exec& ex, const Attention& a, Out y, Out lse, In q, In k, In v,
                       In bias) {
  by_float_type(y.dtype, [&]<class T>(T) {
#if defined(LIMBER_ISA_base)
    parallel_for(ex, a.B * a.H * a.L, 1, [&](int64_t begin, int64_t end) {
      T* scores = static_cast<T*>(thread_scratch(size_t(a.S) * sizeof(T)));
      for (int64_t row = begin; row < end; ++row)
        attend_plainly(a, Head<T>(a, q, k, v, bias, row / a.L), row % a.L, y.as<T>() + row * a.E,
                       lse.as<T>() + row, scores);
    });
#else
    const int64_t blocks = (a.L + kRows - 1) / kRows;
    parallel_for(ex, a.B * a.H * blocks, 1, [&](int64_t begin, int64_t end) {
      const ForwardScratch<T> scratch(a, thread_scratch(ForwardScratch<T>::bytes(a)));
      for (int64_t job = begin; job < end; ++job) {
        const int64_t head = job / blocks, row = job % blocks * kRows;
        attend_block(a, Head<T>(a, q, k, v, bias, head), row, smaller(kRows, a.L - row),
                     y.as<T>() + (head * a.L + row) * a.E, lse.as<T>() + head * a.L + row, scratch);
      }
    });
#endif
  });
}

}  // namespace limber::kernels::cpu::LIMBER_ISA
