#include "pose/engine/step_capture.h"

#include "graph/op_attributes.h"
#include "kernels/cuda/runtime/gpu.h"
#include "kernels/cuda/runtime/watch.h"

namespace limber {
namespace {

using kernels::gpu::QueueWatch;

// Adds the ops of a GPU to what a QueueWatch sees: their attributes and shapes are numbers that a
// recording keeps.
class OpWatch : public Recorder {
 public:
  explicit OpWatch(QueueWatch& queue) : queue_(queue), outer_(current_watcher()) {
    current_watcher() = this;
  }
  ~OpWatch() override { current_watcher() = outer_; }

  void record(const std::shared_ptr<const Op>& op, std::span<const Tensor> inputs,
              std::span<const Tensor> outputs) override {
    if (!outputs[0].device().is_cuda()) return;
    uint64_t hash = 0;
    for (const Tensor& t : inputs) {
      const std::string shape = t.defined() ? str(t.dtype(), t.shape()) : "";
      hash = QueueWatch::mixed(hash, shape.data(), shape.size());
    }
    // These two are in no graph file; the launch has their numbers.
    if (op->kind() != OpKind::Dropout && op->kind() != OpKind::Cast) {
      const std::vector<uint8_t> attributes = attribute_bytes(*op);
      hash = QueueWatch::mixed(hash, attributes.data(), attributes.size());
    }
    queue_.saw(op->name(), hash);
  }

 private:
  QueueWatch& queue_;
  Recorder* outer_;
};

}  // namespace

StepCapture::StepCapture(Device device, std::string why_not, std::function<void()> abandon,
                         std::function<void(const std::string&)> tell)
    : device_(device), abandon_(std::move(abandon)), tell_(std::move(tell)) {
  if (why_not.empty() && device.is_cuda()) why_not = kernels::gpu::why_no_capture();
  if (!device.is_cuda()) {
    stage_ = Stage::off;  // nothing to tell
  } else if (!why_not.empty()) {
    stop(why_not);
  }
}

void StepCapture::stop(const std::string& why) {
  tell_("the training step is not captured as a CUDA graph: " + why);
  stage_ = Stage::off;
  work_.reset();
}

Losses StepCapture::run(const std::string& shapes, const Step& step) {
  wait();
  if (stage_ == Stage::off) return step();
  if (shapes != shapes_) {
    if (is_captured()) return step();
    if (!shapes_.empty() && ++changes_of_shape_ == 3) {
      stop("the shapes of the batches change");
      return step();
    }
    shapes_ = shapes;
    trace_ = {};
    confirmed_ = false;
    if (stage_ != Stage::warm_up) return watched(step);
  }
  switch (stage_) {
    case Stage::warm_up:  // states are made, libraries choose their algorithms
      stage_ = Stage::watched;
      return step();
    case Stage::watched:
      return watched(step);
    case Stage::known:
      if (!is_captured()) return capture(step);
      return replay();
    case Stage::off:
      break;
  }
  return step();
}

Losses StepCapture::watched(const Step& step) {
  Trace trace;
  Losses results;
  {
    QueueWatch queue;
    const OpWatch ops(queue);
    results = step();
    for (const QueueWatch::Step& s : queue.steps()) trace.steps.emplace_back(s.name, s.numbers);
    trace.refusal = queue.refusal();
  }
  compare(std::move(trace));
  return results;
}

// Two iterations that do the same make the step known. One that differs from a step that was known
// is the first of another kind, as an epoch may begin; one that differs from the iteration before
// means that there is no step to capture.
void StepCapture::compare(Trace trace) {
  if (!trace.refusal.empty()) return stop(trace.refusal);
  if (trace.steps == trace_.steps) {
    stage_ = Stage::known;
    confirmed_ = true;
    return;
  }
  if (!trace_.steps.empty() && !confirmed_) {
    size_t first = 0;
    while (first < std::min(trace.steps.size(), trace_.steps.size()) &&
           trace.steps[first] == trace_.steps[first])
      ++first;
    const auto& longer = trace.steps.size() > trace_.steps.size() ? trace : trace_;
    return stop(str("the model decides by its numbers: step ", first, ", ",
                    longer.steps[first].first, ", differs between two iterations"));
  }
  work_.reset();
  results_.clear();
  trace_ = std::move(trace);
  confirmed_ = false;
  stage_ = Stage::watched;
}

Losses StepCapture::capture(const Step& step) {
  trim_memory_cache(device_);  // what the iterations so far needed, the graph takes for itself
  try {
    work_.emplace(device_, [&] { results_ = step(); });
  } catch (const std::exception& error) {
    results_.clear();
    abandon_();
    stop(error.what());
    return step();
  }
  if (!std::exchange(told_, true))
    tell_(str("the training step is captured as one CUDA graph, ", work_->bytes() >> 20, " MiB"));
  return replay();
}

const Losses& StepCapture::replay() {
  work_->replay();
  ++replays_;
  return results_;
}

void StepCapture::wait() {
  if (work_) work_->wait();
}

void StepCapture::begin_epoch() {
  if (stage_ == Stage::known) stage_ = Stage::watched;
}

std::string shapes_of(const Tensor& inputs, ConstBatch samples) {
  std::string text = str(inputs.dtype(), inputs.shape());
  for (const DataSample& sample : samples)
    for (const TensorLists* lists : {&sample.labels, &sample.fields})
      for (const auto& [name, list] : *lists)
        for (const Tensor& t : list) text += str(" ", t.dtype(), t.shape());
  return text;
}

}  // namespace limber
