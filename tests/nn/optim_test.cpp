#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "autograd/autograd.h"
#include "nn/layers.h"
#include "nn/optim/ema.h"
#include "nn/optim/optim_wrapper.h"
#include "nn/optim/param_groups.h"
#include "tensor/op.h"
#include "tensor/ops.h"
#include "tests/support/tensors.h"

namespace limber {
namespace {

constexpr OptimizerKind kKinds[] = {OptimizerKind::sgd,     OptimizerKind::adam,
                                    OptimizerKind::adamw,   OptimizerKind::rmsprop,
                                    OptimizerKind::adagrad, OptimizerKind::adamax};

// All branches on: momentum, decay, amsgrad, centered.
OptimizerOptions rich(OptimizerKind kind) {
  OptimizerOptions o = OptimizerOptions::defaults(kind);
  o.lr = 0.01;
  o.weight_decay = 0.05;
  o.momentum = 0.9;
  o.amsgrad = kind == OptimizerKind::adam;
  o.centered = true;
  o.lr_decay = 0.1;
  return o;
}

// Two parameters of odd sizes, and gradients that depend on the step alone.
struct Model {
  ParameterStore store;
  explicit Model(DType dtype = DType::f32) : store(3, true, dtype) {
    Scope(store).parameter("a", {7, 19}, init::normal(0, 1));
    Scope(store).parameter("b", {40001}, init::normal(0, 1));
  }
  void set_gradients(int step) {
    for (const Parameter& p : store.all())
      set_grad(p.value, test::uniform(p.value.shape(), -1, 1, uint64_t(step) + 7, DType::f64)
                            .to(p.value.dtype()));
  }
  std::vector<double> values() const {
    std::vector<double> out;
    for (const Parameter& p : store.all()) {
      const Tensor wide = p.value.to(DType::f64);
      out.insert(out.end(), wide.span<double>().begin(), wide.span<double>().end());
    }
    return out;
  }
  void train(const OptimizerOptions& options, int steps) {
    Optimizer optimizer(options, one_group(store, options));
    for (int i = 0; i < steps; ++i) {
      set_gradients(i);
      optimizer.step();
    }
  }
};

TEST(Optimizer, SinglePrecisionFollowsDouble) {
  for (const OptimizerKind kind : kKinds) {
    Model narrow, wide(DType::f64);
    narrow.train(rich(kind), 5);
    wide.train(rich(kind), 5);
    const auto a = narrow.values(), b = wide.values();
    for (size_t i = 0; i < a.size(); ++i)
      ASSERT_NEAR(a[i], b[i], 2e-6 * (1 + std::abs(b[i]))) << int(kind) << " at " << i;
  }
}

TEST(Optimizer, ResultsDoNotDependOnThreads) {
  const int before = threads();
  for (const OptimizerKind kind : kKinds) {
    std::vector<double> results[2];
    for (int t = 1; t <= 2; ++t) {
      set_threads(t);
      Model model;
      model.train(rich(kind), 3);
      results[t - 1] = model.values();
    }
    EXPECT_EQ(results[0], results[1]) << int(kind);
  }
  set_threads(before);
}

TEST(Optimizer, StateRoundTripContinuesIdentically) {
  for (const OptimizerKind kind : kKinds) {
    const OptimizerOptions o = rich(kind);
    Model straight, resumed;
    straight.train(o, 6);
    Optimizer first(o, one_group(resumed.store, o));
    for (int i = 0; i < 3; ++i) {
      resumed.set_gradients(i);
      first.step();
    }
    first.zero_grad();
    Optimizer second(o, one_group(resumed.store, o));
    second.load_state(first.state());
    for (int i = 3; i < 6; ++i) {
      resumed.set_gradients(i);
      second.step();
    }
    EXPECT_EQ(straight.values(), resumed.values()) << int(kind);
  }
}

TEST(Optimizer, RefusesStateOfAnotherModel) {
  Model model;
  const OptimizerOptions o = rich(OptimizerKind::adam);
  Optimizer optimizer(o, one_group(model.store, o));
  EXPECT_THROW(optimizer.load_state({{"exp_avg/c", Tensor::zeros({2})}}), InputError);
  EXPECT_THROW(optimizer.load_state({{"exp_avg/a", Tensor::zeros({2})}}), InputError);
  EXPECT_THROW(optimizer.load_state({{"momentum_buffer/a", Tensor::zeros({7, 19})}}), InputError);
}

TEST(Optimizer, SkipsParametersWithoutGradient) {
  Model model;
  const OptimizerOptions o = rich(OptimizerKind::sgd);
  Optimizer optimizer(o, one_group(model.store, o));
  const Tensor a = model.store.at("a").value, b = model.store.at("b").value;
  const Tensor before = b.clone();
  set_grad(a, Tensor::full(a.shape(), 1));
  optimizer.step();
  EXPECT_EQ(std::memcmp(before.raw(), b.raw(), b.bytes()), 0);
  EXPECT_EQ(optimizer.state().size(), 3u);  // step, buffer and the gradient of a
}

TEST(GradientNorm, AllOrders) {
  const Tensor a = Tensor::from(std::vector<float>{3, -4}, {2});
  const Tensor b = Tensor::from(std::vector<float>{0, 12, 0}, {3});
  EXPECT_DOUBLE_EQ(gradient_norm({a, b}, 2), 13);
  EXPECT_DOUBLE_EQ(gradient_norm({a, b}, 1), 19);
  EXPECT_DOUBLE_EQ(gradient_norm({a, b}, INFINITY), 12);
  EXPECT_NEAR(gradient_norm({a, b}, 3), std::cbrt(27 + 64 + 1728.0), 1e-5);
  const Tensor bad = Tensor::from(std::vector<float>{1, NAN, 2}, {3});
  EXPECT_TRUE(std::isnan(gradient_norm({a, bad}, 2)));
  EXPECT_TRUE(std::isnan(gradient_norm({bad, a}, INFINITY)));
}

// One weight w = 1 with loss w * slope.
struct Line {
  ParameterStore store;
  Tensor w;
  OptimizerOptions options;
  Line() : w(Scope(store).parameter("w", {1}, init::constant(1))) { options.lr = 1; }
  OptimWrapper wrapper(int counts, const ClipOptions& clip = {}) {
    return OptimWrapper(Optimizer(options, one_group(store, options)), counts, clip);
  }
  bool update(OptimWrapper& wrapper, double slope) {
    Tape tape;
    return wrapper.update(tape, sum(w * slope));
  }
};

TEST(OptimWrapper, LastWindowDividesByItsLength) {
  Line line;
  OptimWrapper wrapper = line.wrapper(3);
  wrapper.set_progress(0, 5);  // windows of 3 and 2
  EXPECT_FALSE(line.update(wrapper, 3));
  EXPECT_FALSE(line.update(wrapper, 6));
  EXPECT_TRUE(line.update(wrapper, 0));
  EXPECT_FLOAT_EQ(float(line.w.item()), 1 - 3);
  EXPECT_FALSE(line.update(wrapper, 1));
  EXPECT_TRUE(line.update(wrapper, 3));
  EXPECT_FLOAT_EQ(float(line.w.item()), 1 - 3 - 2);
  EXPECT_THROW(line.update(wrapper, 1), Error);
}

TEST(OptimWrapper, ClipsByNormAndByValue) {
  Line line;
  OptimWrapper by_norm = line.wrapper(1, {.by = ClipOptions::By::norm, .max = 2});
  line.update(by_norm, 8);
  EXPECT_NEAR(line.w.item(), 1 - 2, 1e-6);
  EXPECT_DOUBLE_EQ(*by_norm.gradient_norm(), 8);
  line.update(by_norm, 0.5);  // below the limit: as it is
  EXPECT_NEAR(line.w.item(), -1.5, 1e-6);
  OptimWrapper by_value = line.wrapper(1, {.by = ClipOptions::By::value, .max = 0.25});
  line.update(by_value, -8);
  EXPECT_NEAR(line.w.item(), -1.25, 1e-6);
}

struct Layers {
  ParameterStore store;
  OptimizerOptions options;
  Layers() {
    const Scope s(store);
    Conv2d(s / "neck" / "deep", ConvOptions::square(4, 4, 3, 1, 4, true));
    Conv2d(s / "neck" / "conv", ConvOptions::square(4, 4, 1, 1, 1, true));
    BatchNorm(s / "neck" / "bn", 4);
    ScaleNorm(s / "neck" / "scale");
    options.lr = 1;
    options.weight_decay = 1;
  }
  std::pair<double, double> of(const ParamwiseOptions& paramwise, const std::string& name) {
    for (const ParamGroup& g : paramwise_groups(store, options, paramwise))
      if (g.parameters[0]->name == name) return {g[Hyper::lr], g[Hyper::weight_decay]};
    return {-1, -1};
  }
};

using Pair = std::pair<double, double>;

TEST(GradScaler, HalvesWhatOverflowsAndDoublesAfterTheInterval) {
  GradScaler scaler({.growth_interval = 3});
  EXPECT_EQ(scaler.scale(), 65536);
  const auto after = [&](std::initializer_list<bool> skipped) {
    for (const bool one : skipped) scaler.update(one);
    return scaler.scale();
  };
  EXPECT_EQ(after({true}), 32768);
  EXPECT_EQ(after({false, false}), 32768);
  EXPECT_EQ(after({false}), 65536);
  EXPECT_EQ(after({false, false, true, false, false}), 32768);  // counting begins anew
  EXPECT_EQ(scaler.state().steps_since_change, 2);
  GradScaler resumed({.growth_interval = 3});
  resumed.restore(scaler.state());
  resumed.update(false);
  EXPECT_EQ(resumed.scale(), 65536);
}

TEST(GradScaler, StaysAtAFixedScaleAndBelowInfinity) {
  GradScaler fixed({.fixed = 512});
  fixed.update(true);
  EXPECT_EQ(fixed.scale(), 512);
  GradScaler large({.init_scale = 3e38, .growth_interval = 1});
  large.update(false);
  EXPECT_EQ(large.scale(), 3e38);
  EXPECT_THROW(GradScaler({.init_scale = 0}), InputError);
  EXPECT_THROW(GradScaler({.growth_interval = 0}), InputError);
}

// A scaled loss gives the step of the plain one; a gradient that is not finite, none.
TEST(OptimWrapper, ScalesTheLossAndSkipsInfinities) {
  const auto stepped = [](const AmpOptions& amp, double factor) {
    Model model;
    const OptimizerOptions options = rich(OptimizerKind::sgd);
    OptimWrapper wrapper(Optimizer(options, one_group(model.store, options)), 1,
                         {.by = ClipOptions::By::norm, .max = 5}, amp);
    Tape tape;
    Tensor loss = Tensor::zeros({});
    for (const Parameter& p : model.store.all())
      loss = loss + sum(p.value * test::uniform(p.value.shape(), -1, 1, 3));
    const bool changed = wrapper.update(tape, loss * factor);
    return std::tuple(changed, model.values(), *wrapper.gradient_norm(),
                      wrapper.scaler() != nullptr ? wrapper.scaler()->scale() : 1);
  };
  const AmpOptions amp{.scaler = GradScalerOptions{}};
  const auto [plain, expected, norm, one] = stepped({}, 1);
  const auto [scaled, values, scaled_norm, scale] = stepped(amp, 1);
  EXPECT_TRUE(plain && scaled);
  EXPECT_NEAR(scaled_norm, norm, 1e-5 * norm);
  EXPECT_EQ(scale, 65536);
  for (size_t i = 0; i < values.size(); ++i) ASSERT_NEAR(values[i], expected[i], 1e-6) << i;
  const auto [changed, kept, infinite_norm, halved] = stepped(amp, 1e36);
  EXPECT_FALSE(changed);
  EXPECT_EQ(kept, Model().values());
  EXPECT_EQ(halved, 32768);
}

TEST(ParamGroups, RulesInOrder) {
  Layers layers;
  const ParamwiseOptions o{.bias_lr_mult = 2,
                           .bias_decay_mult = 3,
                           .norm_decay_mult = 5,
                           .dwconv_decay_mult = 7,
                           .flat_decay_mult = 11,
                           .dcn_offset_lr_mult = {}};
  EXPECT_EQ(layers.of(o, "neck.deep.weight"), (Pair{1, 7}));
  EXPECT_EQ(layers.of(o, "neck.deep.bias"), (Pair{2, 3}));
  EXPECT_EQ(layers.of(o, "neck.conv.weight"), (Pair{1, 1}));
  EXPECT_EQ(layers.of(o, "neck.bn.weight"), (Pair{1, 5}));
  EXPECT_EQ(layers.of(o, "neck.bn.bias"), (Pair{1, 5}));
  EXPECT_EQ(layers.of(o, "neck.scale.g"), (Pair{1, 11}));
  EXPECT_EQ(layers.of(o, "neck.bn.running_mean"), (Pair{-1, -1}));
}

TEST(ParamGroups, LongestCustomKeyWinsAndForcingAddsTheRules) {
  Layers layers;
  ParamwiseOptions o;
  o.bias_decay_mult = 0;
  o.custom_keys = {
      {.key = "neck", .lr_mult = 0.5, .decay_mult = 2, .lr = {}, .weight_decay = {}},
      {.key = "neck.conv", .lr_mult = 0.1, .decay_mult = 1, .lr = {}, .weight_decay = {}}};
  EXPECT_EQ(layers.of(o, "neck.bn.weight"), (Pair{0.5, 2}));
  EXPECT_EQ(layers.of(o, "neck.conv.bias"), (Pair{0.1, 1}));
  o.force_default_settings = true;
  EXPECT_EQ(layers.of(o, "neck.conv.bias"), (Pair{0.1, 0}));
}

TEST(ParamGroups, FrozenAndSharedParametersAreLeftOut) {
  Layers layers;
  layers.store.freeze("neck.deep");
  Scope(layers.store, "head").tie("weight", "neck.conv.weight");
  const auto groups = one_group(layers.store, layers.options);
  EXPECT_EQ(groups[0].parameters.size(), 5u);
}

TEST(ParamGroups, DecayMultiplierWithoutDecayThrows) {
  Layers layers;
  layers.options.weight_decay.reset();
  ParamwiseOptions o;
  o.norm_decay_mult = 0;
  EXPECT_THROW(paramwise_groups(layers.store, layers.options, o), Error);
}

TEST(AveragedModel, FirstUpdateCopiesAndSwapExchanges) {
  Line line;
  AveragedModel average(line.store, {.momentum = 0.25});
  line.w.data<float>()[0] = 4;
  average.update();
  EXPECT_FLOAT_EQ(float(average.averages()[0].value.item()), 4);
  line.w.data<float>()[0] = 8;
  average.update();
  average.swap();
  EXPECT_FLOAT_EQ(float(line.w.item()), 5);
  EXPECT_FLOAT_EQ(float(average.averages()[0].value.item()), 8);
}

TEST(AveragedModel, StochasticIsTheMean) {
  Line line;
  AveragedModel average(line.store, {.kind = AverageOptions::Kind::stochastic});
  for (const float v : {1.0f, 2.0f, 6.0f}) {
    line.w.data<float>()[0] = v;
    average.update();
  }
  EXPECT_FLOAT_EQ(float(average.averages()[0].value.item()), 3);
}

TEST(AveragedModel, BuffersFollowOrAreAveraged) {
  for (const bool averaged : {false, true}) {
    ParameterStore store;
    const BatchNorm bn(Scope(store) / "bn", 1);
    AveragedModel average(store, {.momentum = 0.5, .update_buffers = averaged});
    average.update();
    bn.running_mean.data<float>()[0] = 8;
    average.update();
    average.swap();
    EXPECT_FLOAT_EQ(float(bn.running_mean.item()), averaged ? 4 : 8);
  }
}

}  // namespace
}  // namespace limber
