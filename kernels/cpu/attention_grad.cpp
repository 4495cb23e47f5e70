// Attention, backward: probabilities are computed again from the saved log-sum-exp (Dao et al.
// 2022, arXiv 2205.14135, algorithm 4). A thread owns whole heads, so every sum has one order.
#include "kernels/attention.h"
#include "kernels/cpu/attention_blocks.h"
#include "kernels/cpu/simd.h"

namespace limber::kernels::cpu::LIMBER_ISA {
namespace {

template <class T>
struct HeadGradient {
  const T *y, *lse, *dy;
  T *dq, *dk, *dv, *dbias;  // dbias: (L, S) or null
};

// One query at a time, straight from the formulas.
template <class T>
void differentiate_plainly(const Attention& a, const Head<T>& head, const HeadGradient<T>& g,
                           int64_t l) {
  const T *q = head.q + l * a.D, *dy = g.dy + l * a.E;
  const T delta = dot(dy, g.y + l * a.E, a.E);
  for (int64_t j = 0; j < a.S; ++j) {
    const T *k = head.k + j * a.D, *v = head.v + j * a.E;
    T score = T(a.scale) * dot(q, k, a.D);
    if (head.bias != nullptr) score += head.bias[l * a.stride_bias[2] + j * a.stride_bias[3]];
    const T p = exp(splat(score - g.lse[l]))[0];
    const T ds = p * (dot(dy, v, a.E) - delta);
    if (g.dbias != nullptr) g.dbias[l * a.S + j] = ds;
    for (int64_t e = 0; e < a.E; ++e) g.dv[j * a.E + e] += p * dy[e];
    for (int64_t d = 0; d < a.D; ++d) {
      g.dq[l * a.D + d] += T(a.scale) * ds * k[d];
      g.dk[j * a.D + d] += T(a.scale) * ds * q[d];
    }
  }
}

template <class T>
struct BackwardScratch {
  T *queries, *grads, *scores, *slopes, *lse, *delta;

  static size_t bytes(const Attention& a) {
    return size_t(kRows * (a.D + a.E + 2 * kKeys + 2)) * sizeof(T);
  }
  LIMBER_INLINE BackwardScratch(const Attention& a, void* memory)
      : queries(static_cast<T*>(memory)),
        grads(queries + kRows * a.D),
        scores(grads + kRows * a.E),
        slopes(scores + kRows * kKeys),
        lse(slopes + kRows * kKeys),
        delta(lse + kRows) {}
};

// scores become probabilities, slopes (that hold dy . v) the gradient of the scores.
template <class T>
void slopes_of_scores(const BackwardScratch<T>& s, int64_t keys, int64_t width) {
  for (int64_t l = 0; l < width; l += kLanes<T>) {
    const Vec<T> lse = load(s.lse + l), delta = load(s.delta + l);
    for (int64_t j = 0; j < keys; ++j) {
      T *score = s.scores + j * kRows + l, *slope = s.slopes + j * kRows + l;
      const Vec<T> p = exp(load(score) - lse);
      store(score, p);
      store(slope, p * (load(slope) - delta));
    }
  }
}

template <class T>
void differentiate_block(const Attention& a, const Head<T>& head, const HeadGradient<T>& g,
                         int64_t row, const BackwardScratch<T>& s) {
  const int64_t rows = smaller(kRows, a.L - row), width = whole_vectors<T>(rows);
  const T *q = head.q + row * a.D, *dy = g.dy + row * a.E;
  transpose_rows(s.queries, q, rows, a.D, T(a.scale));
  transpose_rows(s.grads, dy, rows, a.E, T(1));
  for (int64_t l = 0; l < width; ++l) {
    s.lse[l] = l < rows ? g.lse[row + l] : T(0);
    s.delta[l] = l < rows ? dot(dy + l * a.E, g.y + (row + l) * a.E, a.E) : T(0);
  }
  for (int64_t key = 0; key < a.S; key += kKeys) {
    const Block block{row, rows, key, smaller(kKeys, a.S - key)};
    const T *k = head.k + key * a.D, *v = head.v + key * a.E;
    block_scores(s.scores, a, head, s.queries, block, width);
    clear_lines(s.slopes, block.keys, width);
    add_product(s.slopes, kRows, v, a.E, 1, s.grads, kRows, block.keys, width, a.E);
    slopes_of_scores(s, block.keys, width);
    if (g.dbias != nullptr) {
      for (int64_t l = 0; l < rows; ++l)
        for (int64_t j = 0; j < block.keys; ++j)
          g.dbias[(row + l) * a.S + key + j] = s.slopes[j * kRows + l];
    }
    add_product(g.dv + key * a.E, a.E, s.scores, kRows, 1, dy, a.E, block.keys, a.E, rows);
    add_product(g.dk + key * a.D, a.D, s.slopes, kRows, 1, q, a.D, block.keys, a.D, rows);
    add_product(g.dq + row * a.D, a.D, s.slopes, 1, kRows, k, a.D, rows, a.D, block.keys);
  }
}

template <class T>
void scale_row(T* x, int64_t n, T factor) {
  for_lanes<T>(n, [&](int64_t i, int64_t m) { store(x + i, load(x + i, m) * factor, m); });
}

template <class T>
void differentiate_head(const Attention& a, const Head<T>& head, const HeadGradient<T>& g) {
  __builtin_memset(g.dq, 0, size_t(a.L * a.D) * sizeof(T));
  __builtin_memset(g.dk, 0, size_t(a.S * a.D) * sizeof(T));
  __builtin_memset(g.dv, 0, size_t(a.S * a.E) * sizeof(T));
#if defined(LIMBER_ISA_base)
  for (int64_t l = 0; l < a.L; ++l) differentiate_plainly(a, head, g, l);
#else
  const BackwardScratch<T> scratch(a, thread_scratch(BackwardScratch<T>::bytes(a)));
  for (int64_t row = 0; row < a.L; row += kRows) differentiate_block(a, head, g, row, scratch);
  scale_row(g.dq, a.L * a.D, T(a.scale));
  scale_row(g.dk, a.S * a.D, T(a.scale));
#endif
}

}  // namespace

void attention_backward(const Exec& ex, const Attention& a, const AttentionGradients& to,
                        const AttentionInputs& from) {
  by_float_type(to.dq.dtype, [&]<class T>(T) {
    parallel_for(ex, a.B * a.H, 1, [&](int64_t begin, int64_t end) {
      for (int64_t h = begin; h < end; ++h) {
        const Head<T> head(a, from.q, from.k, from.v, from.bias, h);
        T* dbias = to.dbias.data == nullptr ? nullptr : to.dbias.as<T>() + h * a.L * a.S;
        const HeadGradient<T> g{from.y.as<T>() + h * a.L * a.E,
                                from.lse.as<T>() + h * a.L,
                                from.dy.as<T>() + h * a.L * a.E,
                                to.dq.as<T>() + h * a.L * a.D,
                                to.dk.as<T>() + h * a.S * a.D,
                                to.dv.as<T>() + h * a.S * a.E,
                                dbias};
        differentiate_head(a, head, g);
      }
    });
  });
}

}  // namespace limber::kernels::cpu::LIMBER_ISA
