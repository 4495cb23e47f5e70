// Backbones: image in, feature maps out, all channels last.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "nn/scope.h"
#include "pose/config/config.h"
#include "tensor/tensor.h"

namespace limber {

using Features = std::vector<Tensor>;

struct Backbone {
  virtual ~Backbone() = default;
  virtual Features operator()(const Tensor& x) const = 0;  // x: (N, H, W, 3)
};

// By config["type"]; parameters are made below `scope` ("backbone"). pose/backbones/factory.cpp
// lists the types.
std::unique_ptr<Backbone> make_backbone(const Config& config, const Scope& scope);
std::vector<std::string> backbone_types();

}  // namespace limber
