#include "pose/core/layer_config.h"

namespace limber {

NormOptions read_norm(const Config& config) {
  if (config.is_null()) return {.type = NormType::none};
  NormOptions o;
  const std::string type = config.type();
  if (type == "BN" || type == "SyncBN" || type == "BN1d" || type == "BN2d") {
    o.type = NormType::batch;
    o.momentum = config.get<double>("momentum", 0.1);
    config.find("eps");
  } else if (type == "FrozenBatchNorm2d") {
    o.type = NormType::frozen_batch;
  } else if (type == "LN" || type == "LN2d") {
    o.type = NormType::layer;
  } else if (type == "GN" || type == "GroupNorm" || type == "torch.nn.GroupNorm") {
    o.type = NormType::group;
    o.groups = config.get<int>("num_groups");
  } else {
    fail_input(
        config.path(), ".type: unknown norm \"", type, "\"",
        did_you_mean(type, {"BN", "SyncBN", "BN1d", "FrozenBatchNorm2d", "LN", "LN2d", "GN"}));
  }
  o.eps = config.get<double>("eps", 1e-5);
  o.trainable = config.get<bool>("requires_grad", true);
  config.expect_all_read();
  return o;
}

NormOptions read_norm(const Config& parent, std::string_view key, const NormOptions& fallback) {
  const Config value = parent.find(key);
  return value.is_null() ? fallback : read_norm(value);
}

ActOptions read_act(const Config& config) {
  if (config.is_null()) return {ActType::none};
  const std::string type = config.type();
  config.find("inplace");
  ActOptions o;
  if (type == "ReLU") {
    o.type = ActType::relu;
  } else if (type == "ReLU6") {
    o.type = ActType::relu6;
  } else if (type == "LeakyReLU") {
    o = {ActType::leaky_relu, config.get<double>("negative_slope", 0.01)};
  } else if (type == "SiLU" || type == "Swish") {
    o.type = ActType::silu;
  } else if (type == "GELU") {
    o.type = ActType::gelu;
  } else if (type == "Sigmoid") {
    o.type = ActType::sigmoid;
  } else if (type == "Tanh") {
    o.type = ActType::tanh;
  } else if (type == "HSwish" || type == "Hardswish") {
    o.type = ActType::hard_swish;
  } else if (type == "HSigmoid") {
    o = {ActType::hard_sigmoid, config.get<double>("bias", 3.0),
         config.get<double>("divisor", 6.0)};
  } else if (type == "Hardsigmoid") {
    o = {ActType::hard_sigmoid, 3, 6};
  } else {
    fail_input(config.path(), ".type: unknown activation \"", type, "\"",
               did_you_mean(type, {"ReLU", "ReLU6", "LeakyReLU", "SiLU", "Swish", "GELU", "Sigmoid",
                                   "Tanh", "HSwish", "HSigmoid"}));
  }
  config.expect_all_read();
  return o;
}

ActOptions read_act(const Config& parent, std::string_view key, const ActOptions& fallback) {
  const Config value = parent.find(key);
  return value.is_null() ? fallback : read_act(value);
}

std::array<int, 2> read_pair(const Config& value) {
  if (!value.is_list()) return {value.as<int>(), value.as<int>()};
  check_input(value.size() == 2, value.path(), ": one number or two expected");
  return {value.at(0).as<int>(), value.at(1).as<int>()};
}

Upsampling read_upsampling(const Config& config) {
  Upsampling up;
  if (config.is_null()) return up;
  const auto mode = config.get<std::string>("mode", "nearest");
  check_input(mode == "nearest" || mode == "bilinear", config.path(), ".mode: \"nearest\" or ",
              "\"bilinear\", not \"", mode, "\"");
  up.mode = mode == "nearest" ? Interpolation::nearest : Interpolation::bilinear;
  up.align_corners = config.get("align_corners", false);
  up.scale = config.get("scale_factor", 0.0);
  config.expect_all_read();
  return up;
}

Tensor upsample(const Upsampling& up, const Tensor& x, int64_t height, int64_t width) {
  if (up.scale > 0) {
    height = int64_t(double(x.size(1)) * up.scale);
    width = int64_t(double(x.size(2)) * up.scale);
  }
  return resize(x, height, width, up.mode, up.align_corners);
}

}  // namespace limber
