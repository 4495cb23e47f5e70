// Necks: feature maps in, feature maps out.
#pragma once

#include "pose/backbones/backbone.h"

namespace limber {

struct Neck {
  virtual ~Neck() = default;
  virtual Features operator()(const Features& maps) const = 0;
};

// By config["type"]; pose/necks/factory.cpp lists the types.
std::unique_ptr<Neck> make_neck(const Config& config, const Scope& scope);

}  // namespace limber
