#include "pose/engine/init_cfg.h"

#include <gtest/gtest.h>

#include <cmath>

#include "nn/layers.h"
#include "tests/support/temp_folder.h"

namespace limber {
namespace {

struct Net {
  ParameterStore store{7};
  Scope root{store};
  Conv2d conv{root / "backbone" / "conv", ConvOptions::square(64, 32, 3, 1, 1, true)};
  BatchNorm bn{root / "backbone" / "bn", 32};
  Linear fc{root / "head" / "fc", 32, 48};
  Linear cls{root / "head" / "cls", 32, 2};
};

struct Moments {
  double mean = 0, std = 0, most = 0;
};

Moments moments(const Tensor& t) {
  Moments m;
  for (const float v : t.span<float>()) m.mean += v / double(t.numel());
  for (const float v : t.span<float>()) {
    m.std += (v - m.mean) * (v - m.mean) / double(t.numel());
    m.most = std::max(m.most, double(std::abs(v)));
  }
  m.std = std::sqrt(m.std);
  return m;
}

void apply(Net& net, const char* json, const char* child = "") {
  const Scope scope = *child == '\0' ? net.root : net.root / child;
  (void)apply_init_cfg(Config::parse(json, "init"), scope);
}

TEST(InitCfg, EachTypeHasItsSpread) {
  Net net;
  const Tensor w = net.conv.weight;  // fan in 576, fan out 288
  const auto of = [&](const char* json) {
    apply(net, json);
    return moments(w);
  };
  EXPECT_EQ(of(R"({"type":"Constant","layer":"Conv2d","val":0.5})").most, 0.5);
  EXPECT_NEAR(of(R"({"type":"Normal","layer":"Conv2d","mean":1,"std":0.01})").std, 0.01, 5e-4);
  EXPECT_NEAR(of(R"({"type":"Kaiming","layer":"Conv2d"})").std, std::sqrt(2 / 288.0), 2e-3);
  EXPECT_NEAR(of(R"({"type":"Kaiming","layer":"Conv2d","mode":"fan_in","a":2,
                     "nonlinearity":"leaky_relu"})")
                  .std,
              std::sqrt(0.4 / 576), 1e-3);
  EXPECT_NEAR(of(R"({"type":"Xavier","layer":"Conv2d","gain":2})").std, 2 * std::sqrt(2 / 864.0),
              3e-3);
  const Moments uniform = of(R"({"type":"Xavier","layer":"Conv2d","distribution":"uniform"})");
  EXPECT_NEAR(uniform.most, std::sqrt(6 / 864.0), 1e-3);
  EXPECT_NEAR(of(R"({"type":"Caffe2Xavier","layer":"Conv2d"})").most, std::sqrt(3 / 576.0), 1e-3);
  EXPECT_NEAR(of(R"({"type":"Uniform","layer":"Conv2d","a":-3,"b":-1})").mean, -2, 0.05);
  const Moments cut = of(R"({"type":"TruncNormal","layer":"Conv2d","std":1,"a":-0.5,"b":0.5})");
  EXPECT_LE(cut.most, 0.5);
  EXPECT_GT(cut.std, 0.25);
}

TEST(InitCfg, LayersBiasesAndOrder) {
  Net net;
  apply(net, R"([{"type":"Constant","layer":["_BatchNorm","Linear"],"val":3,"bias":2},
                 {"type":"Normal","layer":"Linear","std":0.01,"bias_prob":0.01}])");
  EXPECT_EQ(net.bn.weight.data<float>()[0], 3);
  EXPECT_EQ(net.bn.bias.data<float>()[0], 2);
  EXPECT_NEAR(moments(net.fc.weight).std, 0.01, 1e-3);
  EXPECT_NEAR(net.fc.bias.data<float>()[0], -std::log(99.0), 1e-5);
  EXPECT_EQ(net.bn.running_var.data<float>()[0], 1);
}

TEST(InitCfg, OverrideTakesAWholeAttribute) {
  Net net;
  apply(net,
        R"({"type":"Constant","layer":"Linear","val":1,
            "override":[{"type":"Constant","name":"fc","val":4,"bias":5}, {"name":"cls"}]})",
        "head");
  EXPECT_EQ(net.fc.weight.data<float>()[0], 4);
  EXPECT_EQ(net.fc.bias.data<float>()[0], 5);
  EXPECT_EQ(net.cls.weight.data<float>()[0], 1);
}

TEST(InitCfg, MistakesAreErrors) {
  Net net;
  for (const char* bad :
       {R"({"type":"Kaimng","layer":"Conv2d"})", R"({"type":"Normal","layer":"Conv2D"})",
        R"({"type":"Normal","layer":"Conv2d","sdt":1})", R"({"type":"Constant","layer":"Linear"})",
        R"({"type":"Kaiming","layer":"Linear","mode":"fan"})",
        R"({"type":"Constant","val":1,"override":{"name":"nobody"}})",
        R"({"type":"Constant","val":1,"override":{"name":"head","val":1}})"})
    EXPECT_THROW(apply(net, bad), InputError) << bad;
}

TEST(InitCfg, PretrainedComesLastAndKeepsToItsPrefix) {
  const TempFolder folder;
  ParameterStore other{1};
  const Scope root(other);
  const Conv2d conv(root / "features" / "conv", ConvOptions::square(64, 32, 3, 1, 1, true));
  save_weights(other, folder.path("w"));
  Net net;
  Config model = Config::parse(
      R"({"backbone":{"init_cfg":[{"type":"Pretrained","prefix":"features."},
                                  {"type":"Constant","layer":"Conv2d","val":0}]},
          "head":{"init_cfg":{"type":"Constant","layer":"Linear","val":9}}})");
  model.set_path("backbone.init_cfg.0.checkpoint", Config::value(folder.path("w")));
  const auto notes = apply_model_init(model, net.root);
  EXPECT_EQ(net.conv.weight.data<float>()[11], conv.weight.data<float>()[11]);
  EXPECT_EQ(net.fc.weight.data<float>()[0], 9);
  ASSERT_EQ(notes.size(), 1u);
  EXPECT_NE(notes[0].find("4 missing: backbone.bn.weight"), std::string::npos) << notes[0];
  model.set_path("backbone.init_cfg.0.prefix", Config::value("nowhere"));
  EXPECT_THROW(apply_model_init(model, net.root), InputError);
}

}  // namespace
}  // namespace limber
