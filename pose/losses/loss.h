// Losses. Each is a small struct with the usual name and options of MMPose; the value is a scalar
// tensor (or a vector of per-element losses where its options say so).
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "nn/scope.h"
#include "pose/config/config.h"
#include "tensor/tensor.h"

namespace limber {

struct LossInput {
  // Most losses have one output and one target; SimCC losses have one per axis, multi-level ones
  // one per level.
  std::vector<Tensor> outputs, targets;
  Tensor weight;  // target weights, (N, K) mostly; undefined: all 1
  Tensor mask;    // per pixel, where a loss takes one
};

struct Loss {
  virtual ~Loss() = default;
  virtual std::vector<Tensor> operator()(const LossInput& input) const = 0;  // most give one
  Tensor single(const LossInput& input) const { return (*this)(input).at(0); }
};

// By config["type"]. `scope` holds the parameters of losses that have some (RLELoss).
std::unique_ptr<Loss> make_loss(const Config& config, const Scope& scope);

}  // namespace limber
