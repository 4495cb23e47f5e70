#include "pose/engine/build_optim.h"

#include <gtest/gtest.h>

#include "nn/layers.h"

namespace limber {
namespace {

struct Net {
  ParameterStore store;
  Net() {
    Conv2d(Scope(store) / "backbone" / "conv", ConvOptions::square(2, 3, 3, 1, 1, true));
    BatchNorm(Scope(store) / "neck" / "encoder" / "bn", 3);
  }
};

BuiltOptim build(Net& net, const char* json, double lr_scale = 1) {
  return build_optim_wrapper(Config::parse(json, "optim_wrapper"), net.store, lr_scale);
}

std::string error_of(const char* json) {
  Net net;
  try {
    build(net, json);
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

TEST(BuildOptim, ReadsRtmosWrapper) {
  Net net;
  BuiltOptim built = build(net, R"({
      "type": "OptimWrapper", "constructor": "ForceDefaultOptimWrapperConstructor",
      "optimizer": {"type": "AdamW", "lr": 0.004, "weight_decay": 0.05, "betas": [0.8, 0.99]},
      "paramwise_cfg": {"norm_decay_mult": 0, "bias_decay_mult": 0, "bypass_duplicate": true,
                        "force_default_settings": true,
                        "custom_keys": {"neck.encoder": {"lr_mult": 0.05}}},
      "clip_grad": {"max_norm": 0.1, "norm_type": "inf"}})",
                           2);
  const Optimizer& optimizer = built.wrapper.optimizer();
  EXPECT_EQ(optimizer.options().momentum, 0.8);
  EXPECT_EQ(optimizer.options().beta2, 0.99);
  ASSERT_EQ(optimizer.groups().size(), 4u);
  EXPECT_DOUBLE_EQ(optimizer.groups()[0][Hyper::lr], 0.008);
  EXPECT_DOUBLE_EQ(optimizer.groups()[0][Hyper::weight_decay], 0.05);
  EXPECT_DOUBLE_EQ(optimizer.groups()[2][Hyper::lr], 0.0004);
  EXPECT_DOUBLE_EQ(optimizer.groups()[2][Hyper::weight_decay], 0);
  EXPECT_TRUE(built.notes.empty());
}

TEST(BuildOptim, AmpAndMisspellingsAreNoted) {
  Net net;
  const BuiltOptim built = build(net, R"({
      "type": "AmpOptimWrapper", "loss_scale": {"init_scale": 512}, "optimizer": {"type": "Adam"},
      "paramwise_cfg": {"custom_keys": {"bias": {"decay_multi": 0.0}}}})");
  EXPECT_EQ(built.notes.size(), 2u);
  EXPECT_EQ(built.wrapper.precision(), DType::f32);  // the parameters lie on the CPU
  EXPECT_DOUBLE_EQ(built.wrapper.optimizer().groups()[0][Hyper::lr], 1e-3);
}

TEST(BuildOptim, MistakesAreErrorsWithTheirPath) {
  const auto expect = [](const char* json, const char* part) {
    const std::string error = error_of(json);
    EXPECT_NE(error.find(part), std::string::npos) << json << "\n -> " << error;
  };
  expect(R"({"optimizer":{"type":"AdamV","lr":1}})", "AdamW");
  expect(R"({"optimizer":{"type":"SGD"}})", "needs lr");
  expect(R"({"type":"AmpOptimWrapper","dtype":"float8","optimizer":{"type":"Adam"}})", "dtype");
  expect(R"({"type":"AmpOptimWrapper","loss_scale":"static","optimizer":{"type":"Adam"}})",
         "loss_scale");
  expect(R"({"type":"AmpOptimWrapper","loss_scale":{"growth":3},"optimizer":{"type":"Adam"}})",
         "growth");
  expect(R"({"optimizer":{"type":"Adam","lr":1,"momentum":0.9}})", "optimizer.momentum");
  expect(R"({"optimizer":{"type":"Adam","lr":1},"clip_grads":{}})", "clip_grads");
  expect(R"({"optimizer":{"type":"Adam","lr":1},"clip_grad":{"type":"size"}})", "clip_grad");
  expect(R"({"optimizer":{"type":"Adam","lr":1},"paramwise_cfg":{"bias_decay_mult":0}})",
         "weight_decay");
  expect(R"({"optimizer":{"type":"Adam","lr":1},"constructor":"Mine","paramwise_cfg":{"a":1}})",
         "constructor");
}

std::vector<double> rates(const char* schedule, int steps, int64_t epoch_length) {
  Net net;
  BuiltOptim built = build(net, R"({"optimizer":{"type":"SGD","lr":1,"momentum":0.8}})");
  Optimizer& optimizer = built.wrapper.optimizer();
  const auto made =
      build_schedulers(Config::parse(schedule, "param_scheduler"), optimizer, epoch_length);
  std::vector<double> out;
  for (int i = 0; i < steps; ++i) {
    out.push_back(optimizer.groups()[0][Hyper::lr]);
    for (const auto& s : made) s->step();
  }
  return out;
}

TEST(BuildSchedulers, EpochsBecomeIterations) {
  const auto lr = rates(R"({"type":"mmengine.MultiStepLR","milestones":[1],"begin":1,"end":3,
                            "gamma":0.5,"by_epoch":true,"convert_to_iter_based":true})",
                        9, 2);
  EXPECT_EQ(lr, (std::vector<double>{1, 1, 1, 1, 0.5, 0.5, 0.5, 0.5, 0.5}));
}

TEST(BuildSchedulers, SuffixesNameTheValue) {
  Net net;
  BuiltOptim built = build(net, R"({"optimizer":{"type":"SGD","lr":1,"momentum":0.8}})");
  Optimizer& optimizer = built.wrapper.optimizer();
  const auto made = build_schedulers(Config::parse(R"([{"type":"ConstantMomentum","factor":0.5},
                        {"type":"ConstantParamScheduler","param_name":"lr","factor":0.25}])"),
                                     optimizer, 1);
  EXPECT_DOUBLE_EQ(optimizer.groups()[0][Hyper::momentum], 0.4);
  EXPECT_DOUBLE_EQ(optimizer.groups()[0][Hyper::lr], 0.25);
}

TEST(BuildSchedulers, MistakesAreErrors) {
  for (const char* bad : {R"({"type":"CosineLR"})", R"({"type":"CosineAnnealingLR"})",
                          R"({"type":"CosineAnnealingLR","eta_min":0,"eta_min_ratio":0})",
                          R"({"type":"ExponentialLR"})", R"({"type":"StepLR","step_size":1.5})",
                          R"({"type":"StepLR","step_size":1,"begin":3,"end":3})",
                          R"({"type":"StepLR","step_size":1,"stop":3})"})
    EXPECT_THROW(rates(bad, 1, 1), InputError) << bad;
}

TEST(ReadAverage, DefaultsDependOnTheType) {
  const auto read = [](const char* json) { return read_average(Config::parse(json)); };
  EXPECT_EQ(read(R"({"ema_type":"ExpMomentumEMA"})").gamma, 2000);
  EXPECT_EQ(read(R"({"ema_type":"MomentumAnnealingEMA"})").gamma, 100);
  EXPECT_TRUE(read(R"({"update_buffers":true,"momentum":0.1})").update_buffers);
  EXPECT_THROW(read(R"({"ema_type":"EMA"})"), InputError);
}

}  // namespace
}  // namespace limber
