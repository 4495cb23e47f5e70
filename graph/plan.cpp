#include "graph/plan.h"

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <numeric>

#include "graph/memory_plan.h"
#include "graph/op_attributes.h"
#include "tensor/gpu_error.h"

namespace limber {

Plan::Plan(Graph graph, const kernels::Exec& ex)
    : Plan(std::move(graph), ex, *std::make_unique<PackedWeights>()) {}

Plan::Plan(Graph graph, const kernels::Exec& ex, PackedWeights& shared) : graph_(std::move(graph)) {
  const DeviceScope scope(ex.device);
  pack_weights(graph_, ex, shared);
  remove_dead(graph_);
  const MemoryPlan memory = plan_memory(graph_);
  arena_bytes_ = memory.bytes;
  in_place_ = memory.in_place;
  const Tensor arena = Tensor::empty({memory.bytes / int64_t(sizeof(float))});
  std::vector<Tensor> tensors(graph_.values.size());
  for (size_t v = 0; v < tensors.size(); ++v) tensors[v] = graph_.values[v].constant;
  const auto of = [&](int v) { return v == kNoValue ? Tensor() : tensors[size_t(v)]; };
  const auto place = [&](int v) {
    const Spec& spec = graph_.values[size_t(v)].spec;
    const int64_t offset = memory.offsets[size_t(v)];
    tensors[size_t(v)] = offset < 0 ? Tensor::empty(spec.shape, spec.dtype)
                                    : arena.alias(spec.shape, offset / int64_t(sizeof(float)));
  };
  for (int v : graph_.inputs) place(v);
  for (size_t n = 0; n < graph_.nodes.size(); ++n) {
    const GraphNode& node = graph_.nodes[n];
    Step step{node.op.get(), {}, {}};
    for (int v : node.inputs) step.inputs.push_back(of(v));
    const bool is_view = view_offset(*node.op, graph_.values[size_t(node.inputs[0])].spec) >= 0;
    if (const Tensor view = node.op->view(step.inputs)) {
      check(is_view, node.op->name(), ": is a view where it was not planned as one");
      tensors[size_t(node.outputs[0])] = view;
      continue;
    }
    check(!is_view, node.op->name(), ": is no view where it was planned as one");
    for (int v : node.outputs) {
      place(v);
      step.outputs.push_back(of(v));
    }
    steps_.push_back(std::move(step));
  }
  for (int v : graph_.inputs) inputs_.push_back(of(v));
  for (int v : graph_.outputs) outputs_.push_back(of(v));
}

void Plan::run_ops(const kernels::Exec& ex) const {
  for (const Step& step : steps_) {
    try {
      step.op->forward(ex, step.inputs, step.outputs);
    } catch (const kernels::gpu::CudaError& error) {
      fail_on_gpu(str(step.op->name(), " of"), step.inputs, error);
    }
  }
}

void Plan::run_on_gpu(const kernels::Exec& ex) const {
  const DeviceScope scope(ex.device);
  if (is_captured()) return replay_.graph->replay();
  const bool captures = ++replay_.runs == 2;
  if (captures) replay_.why_none = kernels::gpu::why_no_capture();
  if (!captures || !replay_.why_none.empty()) return run_ops(ex);
  try {
    replay_.graph.emplace(ex.device, [&] { run_ops(ex); });
  } catch (const std::runtime_error& error) {  // of an op, or of the capture
    replay_.why_none = error.what();
    return run_ops(ex);
  }
  replay_.graph->replay();
}

int64_t Plan::weight_bytes(std::set<const void*>& seen) const {
  int64_t bytes = 0;
  for (const Value& value : graph_.values)
    if (value.is_constant() && seen.insert(value.constant.raw()).second)
      bytes += int64_t(value.constant.bytes());
  return bytes;
}

namespace {

// Of one thread the processor time, which other programs on the machine disturb less.
double now(const kernels::Exec& ex) {
  const bool alone = !ex.device.is_cuda() && thread_count(ex) == 1;
  timespec time;
  clock_gettime(alone ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC, &time);
  return double(time.tv_sec) + 1e-9 * double(time.tv_nsec);
}

std::string padded(const std::string& text, size_t width) {
  return text + std::string(text.size() < width ? width - text.size() : 1, ' ');
}

std::string number(const char* format, double value) {
  char text[32];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

}  // namespace

std::string Plan::describe(const kernels::Exec& ex, int runs) const {
  const DeviceScope scope(ex.device);
  std::vector<std::vector<double>> times(steps_.size());
  for (int r = 0; r < runs; ++r) {
    for (size_t i = 0; i < steps_.size(); ++i) {
      const double start = now(ex);
      steps_[i].op->forward(ex, steps_[i].inputs, steps_[i].outputs);
      synchronise(ex.device);
      times[i].push_back(now(ex) - start);
    }
  }
  std::string text;
  double total = 0;
  for (size_t i = 0; i < steps_.size(); ++i) {
    const Step& step = steps_[i];
    std::string shapes, kilobytes;
    int64_t bytes = 0;
    for (size_t k = 0; k < step.inputs.size(); ++k) {
      if (!step.inputs[k].defined()) continue;
      bytes += int64_t(step.inputs[k].bytes());
      shapes += str(shapes.empty() ? "" : " ", step.inputs[k].shape());
      if (step.inputs[k].dtype() != DType::f32) shapes += str(" ", step.inputs[k].dtype());
    }
    for (const Tensor& t : step.outputs) bytes += int64_t(t.bytes());
    shapes += str(" -> ", step.outputs[0].shape());
    double median = 0;
    if (runs > 0) {
      std::ranges::sort(times[i]);
      median = times[i][times[i].size() / 2];
      total += median;
    }
    text += padded(std::to_string(i), 5) + padded(step.op->name(), 22);
    if (runs > 0) text += padded(number("%.1f us", median * 1e6), 12);
    text += padded(number("%.1f kB", double(bytes) / 1e3), 13) + padded(shapes, 60) +
            describe_attributes(*step.op) + "\n";
  }
  std::set<const void*> seen;
  text += str(steps_.size(), " ops, ", graph_.nodes.size() - steps_.size(), " views, ", in_place_,
              " in place, arena ", number("%.2f MB", double(arena_bytes_) / 1e6), ", weights ",
              number("%.2f MB", double(weight_bytes(seen)) / 1e6));
  if (runs > 0) text += str(", ", number("%.3f ms", total * 1e3));
  if (is_captured()) text += ", run as one CUDA graph";
  if (!replay_.why_none.empty()) text += ", not captured: " + replay_.why_none;
  return text + "\n";
}

}  // namespace limber
