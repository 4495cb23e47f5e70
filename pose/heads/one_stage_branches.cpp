#include "pose/heads/one_stage_branches.h"

#include <cmath>

#include "pose/core/layer_config.h"

namespace limber {

BranchOptions read_branches(const Config& c, int64_t classes) {
  BranchOptions o;
  o.widen = c.get("widen_factor", 1.0);
  o.in = int64_t(double(c.get<int64_t>("in_channels")) * o.widen);
  o.stacked = c.get("stacked_convs", 2);
  check_input(o.stacked >= 1, c.where(), ".stacked_convs: at least one");
  o.norm = read_norm(c, "norm_cfg", {.momentum = 0.03, .eps = 1e-3});
  o.act = read_act(c, "act_cfg", {ActType::silu});
  const Config bias = c.find("conv_bias");
  o.bias = bias.is_null() || bias.is_string() || bias.as<bool>();
  check_input(c.get("num_classes", classes) == classes, c.where(), ".num_classes: the head has ",
              classes);
  c.find("conv_cfg");
  c.find("init_cfg").ignore();
  return o;
}

ConvStack::ConvStack(const Scope& s, const BranchOptions& o, int64_t in, int64_t width, int depth,
                     int groups) {
  for (int i = 0; i < depth; ++i)
    layers_.emplace_back(
        s / i, ConvOptions::square(i == 0 ? in : width, width, 3, 1, i == 0 ? 1 : groups, o.bias),
        o.norm, o.act);
}

Tensor ConvStack::operator()(const Tensor& x) const {
  Tensor y = x;
  for (const ConvModule& layer : layers_) y = layer(y);
  return y;
}

Conv2d output_conv(const Scope& s, int64_t in, int64_t out) {
  return Conv2d(s, ConvOptions::square(in, out, 1, 1, 1, /*bias=*/true));
}

void expect_few(const Scope& s) {
  s.store().initialise(s.path() + ".bias", init::constant(-std::log(99.0)));
}

}  // namespace limber
