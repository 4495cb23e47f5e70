#include "graph/compile.h"

#include <algorithm>
#include <cmath>

#include "graph/passes/passes.h"
#include "tensor/autocast.h"

namespace limber {
namespace {

// Rounding of folded and fused arithmetic, and of 16-bit numbers from layer to layer, stays below;
// a wrong rewriting does not.
double tolerance_of(DType low) {
  return low == DType::f32 ? 1e-3 : low == DType::f16 ? 0.02 : 0.15;
}

// The plan on the second run's inputs must give what the network gave: whatever a trace cannot see
// (a result written to behind the ops' backs) shows here.
void check_plan(const Plan& plan, const kernels::Exec& ex, const SecondRun& second,
                double tolerance) {
  for (size_t i = 0; i < second.inputs.size(); ++i) {
    Tensor input = plan.inputs()[i];
    input.copy_from(second.inputs[i]);
  }
  plan.run(ex);
  for (size_t i = 0; i < second.outputs.size(); ++i) {
    const auto& [name, expected] = second.outputs[i];
    if (expected.dtype() != DType::f32) continue;
    const Tensor on_cpu[] = {expected.to(Device{}), plan.outputs()[i].to(Device{})};
    const std::span<const float> a = on_cpu[0].span<const float>();
    const std::span<const float> b = on_cpu[1].span<const float>();
    double top = 1e-6, worst = 0;
    for (size_t k = 0; k < a.size(); ++k) {
      top = std::max(top, std::abs(double(a[k])));
      worst = std::max(worst, std::abs(double(a[k]) - double(b[k])));
    }
    check(worst <= tolerance * top, "plan: output ", i, " \"", name, "\" differs by ", worst,
          " of ", top, " from the model's");
  }
}

Tensor numbers_for(const Shape& shape) { return Tensor::full(shape, 0.5); }

}  // namespace

Graph compile(const Network& network, std::span<const Tensor> inputs) {
  Graph graph = trace(network, inputs);
  optimise(graph);
  return graph;
}

Plan& PlanCache::plan(const Shape& input) {
  for (const auto& plan : plans_)
    if (plan->inputs()[0].shape() == input) return *plan;
  const Autocast as_it_is(DType::f32);  // what is lowered is lowered below
  const Tensor example = numbers_for(input);
  SecondRun second;
  Graph graph = trace(network_, {&example, 1}, &second);
  optimise(graph);
  const kernels::Exec ex = exec_for(DType::f32);
  check(low_ == DType::f32 || ex.device.is_cuda(), "plan: ", low_, " needs a GPU");
  if (low_ != DType::f32) lower_precision(graph, low_);
  auto plan = std::make_unique<Plan>(std::move(graph), ex);
  check_plan(*plan, ex, second, tolerance_of(low_));
  if (plans_.size() == kMostPlans) plans_.erase(plans_.begin());
  plans_.push_back(std::move(plan));
  return *plans_.back();
}

Plan* PlanCache::nearest(const Shape& input) {
  Plan* best = nullptr;
  for (const auto& plan : plans_) {
    const Shape& shape = plan->inputs()[0].shape();
    if (shape.rank() != input.rank() || shape.with(0, input[0]) != input) continue;
    if (shape[0] < input[0] || shape[0] > 2 * input[0]) continue;
    const bool by_sample = std::ranges::all_of(
        plan->outputs(), [&](const Tensor& t) { return t.rank() > 0 && t.size(0) == shape[0]; });
    if (shape[0] != input[0] && !by_sample) continue;
    if (best == nullptr || shape[0] < best->inputs()[0].size(0)) best = plan.get();
  }
  return best;
}

NamedTensors PlanCache::operator()(const Tensor& input) {
  const DeviceScope scope(input.device());
  Plan* found = nearest(input.shape());
  if (found == nullptr && std::ranges::find(seen_, input.shape()) == seen_.end()) {
    seen_.push_back(input.shape());
    const Autocast autocast(low_);
    NamedTensors outputs = network_({&input, 1});
    for (auto& [name, output] : outputs)
      if (is_float(output.dtype())) output = output.to(DType::f32);
    return outputs;
  }
  Plan& plan = found != nullptr ? *found : this->plan(input.shape());
  plan.inputs()[0].alias(input.shape()).copy_from(input);
  plan.run(exec_for(DType::f32));
  NamedTensors outputs;
  for (size_t i = 0; i < plan.outputs().size(); ++i) {
    const Tensor& whole = plan.outputs()[i];
    const bool all = plan.inputs()[0].shape() == input.shape();
    const Tensor part = all ? whole : whole.alias(whole.shape().with(0, input.size(0)));
    outputs.emplace_back(plan.output_names()[i], part.clone());
  }
  return outputs;
}

}  // namespace limber
