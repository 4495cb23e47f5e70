#include "kernels/cpu/activation.h"

#include "kernels/cpu/unary.h"

namespace limber::kernels::cpu::LIMBER_ISA {
namespace {

template <class F>
void map_rows(float* const* rows, int count, int64_t n, float a, float b) {
  const F f{a, b};
  for (int row = 0; row < count; ++row) {
    float* y = rows[row];
    for_lanes<float>(n, [&](int64_t i, int64_t m) { store(y + i, f.value(load(y + i, m)), m); });
  }
}

}  // namespace

Activation activation_of(const Epilogue& e) {
  Activation act;
  if (!e.acts) return act;
  act.a = float(e.act.a), act.b = float(e.act.b);
  const auto clamp = [&](float low, float high) {
    act.clamps = true;
    act.low = low, act.high = high;
  };
  switch (e.act.f) {
    case Unary::relu:
      clamp(0, __builtin_inff());
      break;
    case Unary::relu6:
      clamp(0, 6);
      break;
    case Unary::clamp:
      clamp(act.a, act.b);
      break;
    case Unary::leaky_relu:
      act.map = map_rows<LeakyRelu<float>>;
      break;
    case Unary::silu:
      act.map = map_rows<Silu<float>>;
      break;
    case Unary::gelu:
      act.map = map_rows<Gelu<float>>;
      break;
    case Unary::sigmoid:
      act.map = map_rows<Sigmoid<float>>;
      break;
    case Unary::tanh:
      act.map = map_rows<Tanh<float>>;
      break;
    case Unary::hard_swish:
      act.map = map_rows<HardSwish<float>>;
      break;
    case Unary::hard_sigmoid:
      act.map = map_rows<HardSigmoid<float>>;
      break;
    default:
      break;
  }
  return act;
}

}  // namespace limber::kernels::cpu::LIMBER_ISA
