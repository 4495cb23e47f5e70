#include "tensor/op.h"

#include <algorithm>
#include <thread>

#include "kernels/cpu/runtime/cpu_features.h"
#include "kernels/cpu/runtime/thread_pool.h"
#include "kernels/cuda/runtime/gpu.h"
#include "tensor/autocast.h"
#include "tensor/capture.h"
#include "tensor/gpu_error.h"

namespace limber {
namespace {

struct Execution {
  std::unique_ptr<kernels::ThreadPool> pool;
  kernels::Exec exec;
};

Execution& execution() {
  static Execution instance = [] {
    Execution e;
    e.pool =
        std::make_unique<kernels::ThreadPool>(std::max(1u, std::thread::hardware_concurrency()));
    e.exec.isa = kernels::best_isa();
    e.exec.pool = e.pool.get();
    return e;
  }();
  return instance;
}

}  // namespace

const char* name_of(OpKind kind) {
  static constexpr const char* names[] = {
#define LIMBER_OP(name, ...) #name,
#include "tensor/ops.def"
#undef LIMBER_OP
  };
  return names[static_cast<int>(kind)];
}

Recorder*& current_recorder() {
  thread_local Recorder* recorder = nullptr;
  return recorder;
}

Recorder*& current_watcher() {
  thread_local Recorder* watcher = nullptr;
  return watcher;
}

const kernels::Exec& default_exec() { return execution().exec; }

kernels::Exec exec_for(DType dtype) {
  kernels::Exec exec = default_exec();
  if (dtype == DType::f64) exec.isa = kernels::Isa::base;
  exec.device = current_device();
  if (exec.device.is_cuda()) exec.stream = kernels::gpu::stream_of(exec.device.index);
  return exec;
}

void set_threads(int threads) {
  check(threads >= 1, "threads: at least one, not ", threads);
  Execution& e = execution();
  e.pool = std::make_unique<kernels::ThreadPool>(threads);
  e.exec.pool = e.pool.get();
}

int threads() { return execution().pool->size(); }

void set_isa(kernels::Isa isa) {
  check(kernels::has_isa(isa), "this processor has no ", kernels::isa_name(isa));
  execution().exec.isa = isa;
}

namespace {

// Kernels for f64 exist on the baseline only, whether the f64 goes in or comes out.
kernels::Exec exec_of(std::span<const Tensor> inputs, std::span<const Tensor> outputs) {
  const auto wide = [](const Tensor& t) { return t.defined() && t.dtype() == DType::f64; };
  const bool any = std::ranges::any_of(inputs, wide) || std::ranges::any_of(outputs, wide);
  return exec_for(any ? DType::f64 : DType::f32);
}

Device device_of(const Op& op, std::span<const Tensor> inputs) {
  const Tensor* first = nullptr;
  for (const Tensor& t : inputs) {
    if (!t.defined()) continue;
    if (first == nullptr) first = &t;
    check(t.device() == first->device(), op.name(), ": inputs on ", first->device(), " ",
          first->shape(), " and on ", t.device(), " ", t.shape());
  }
  return first == nullptr ? current_device() : first->device();
}

void run_on_gpu(const Op& op, std::span<const Tensor> inputs, std::span<const Tensor> outputs) {
  try {
    op.forward(exec_of(inputs, outputs), inputs, outputs);
  } catch (const kernels::gpu::CudaError& error) {
    fail_on_gpu(str(op.name(), " of"), inputs, error);
  }
}

}  // namespace

void fail_on_gpu(const std::string& what, std::span<const Tensor> inputs,
                 const kernels::gpu::CudaError& error) {
  std::string shapes;
  for (const Tensor& t : inputs)
    if (t.defined()) shapes += str(shapes.empty() ? "" : ", ", t.dtype(), " ", t.shape());
  fail(what, " ", shapes, ": ", error.what());
}

std::vector<Tensor> apply(const std::shared_ptr<const Op>& op, std::span<const Tensor> inputs) {
  const DeviceScope scope(device_of(*op, inputs));
  std::vector<Tensor> cast;
  if (autocasts()) inputs = cast = autocast(*op, inputs);
  std::vector<Tensor> outputs;
  if (Tensor view = op->view(inputs)) {
    outputs.push_back(std::move(view));
  } else {
    for (const Spec& spec : op->infer(inputs))
      outputs.push_back(Tensor::empty(spec.shape, spec.dtype));
    if (current_device().is_cuda()) {
      run_on_gpu(*op, inputs, outputs);
    } else {
      op->forward(exec_of(inputs, outputs), inputs, outputs);
    }
  }
  if (Recorder* watcher = current_watcher()) watcher->record(op, inputs, outputs);
  if (Recorder* recorder = current_recorder()) recorder->record(op, inputs, outputs);
  return outputs;
}

}  // namespace limber
