// From a network to plans: traced, rewritten, planned, one plan per shape of the input.
#pragma once

#include <memory>
#include <vector>

#include "graph/plan.h"
#include "graph/tracer.h"

namespace limber {

// Trace and passes, weights not packed: what plans are made of and .limber files hold.
Graph compile(const Network& network, std::span<const Tensor> inputs);

// Plans of one network by the shape of its input. The first input of a shape runs the network as it
// is, the second makes a plan: pictures of many sizes do not make a plan each. Weights are taken as
// they are then: make a new cache when they change.
class PlanCache {
 public:
  // `low`: the type of products, f32 or, on a GPU, f16 or bf16; inputs and outputs stay f32.
  explicit PlanCache(Network network, DType low = DType::f32)
      : network_(std::move(network)), low_(low) {}

  // The network's outputs on `input`, (N, ...) f32. A batch that is smaller than a plan at hand,
  // but not by half, runs on that one. Runs on the input's device. Throws where the network cannot
  // be planned.
  NamedTensors operator()(const Tensor& input);

  // The plan for exactly this shape, made if there is none, on the current device, where the
  // network's weights must lie. Valid until kMostPlans others are.
  static constexpr size_t kMostPlans = 8;
  Plan& plan(const Shape& input);

 private:
  Plan* nearest(const Shape& input);
  Network network_;
  DType low_;
  std::vector<std::unique_ptr<Plan>> plans_;  // the latest last
  std::vector<Shape> seen_;                   // shapes of inputs that had no plan
};

}  // namespace limber
