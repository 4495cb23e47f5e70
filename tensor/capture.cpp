#include "tensor/capture.h"

#include "kernels/cuda/runtime/gpu.h"
#include "kernels/cuda/runtime/watch.h"
#include "tensor/pinned.h"

namespace limber {
namespace {

thread_local CapturedWork* capturing = nullptr;

}  // namespace

void before_device_work(HostWork work) {
  capturing != nullptr ? capturing->before_.push_back(std::move(work)) : work();
}

void after_device_work(HostWork work) {
  capturing != nullptr ? capturing->after_.push_back(std::move(work)) : work();
}

Tensor pinned_tensor(const Shape& shape, DType dtype) {
  const DeviceScope on_host({});
  const PinnedScope pinned;
  return Tensor::empty(shape, dtype);
}

Tensor host_memory(const Shape& shape, DType dtype) {
  const DeviceScope on_host({});
  const Tensor host =
      capturing != nullptr ? pinned_tensor(shape, dtype) : Tensor::empty(shape, dtype);
  if (capturing != nullptr) after_device_work([host] {});  // keeps it
  if (kernels::gpu::QueueWatch* watch = kernels::gpu::QueueWatch::of_thread())
    watch->expect_new(host.raw());
  return host;
}

Tensor fed(const Shape& shape, DType dtype, const std::function<void(const Tensor&)>& fill) {
  const Tensor host = host_memory(shape, dtype);
  before_device_work([host, fill] {
    const DeviceScope fills_on_host({});
    const NoRecord no_record;
    fill(host);
  });
  return host;
}

Tensor fetched(const Tensor& t) {
  if (!t.device().is_cuda()) return t;
  kernels::gpu::QueueWatch* watch = kernels::gpu::QueueWatch::of_thread();
  if (watch != nullptr) watch->ignore_reads(true);
  Tensor host;
  if (capturing != nullptr) {
    host = pinned_tensor(t.shape(), t.dtype());
    host.copy_from(t);
    after_device_work([host] {});  // keeps it
  } else {
    host = t.to(Device{});
  }
  if (watch != nullptr) watch->ignore_reads(false);
  return host;
}

Tensor host_number(std::vector<Tensor> inputs,
                   std::function<double(std::span<const Tensor>)> compute) {
  const NoRecord no_record;
  for (Tensor& t : inputs) t = fetched(t);
  const DeviceScope on_host({});
  const Tensor result = Tensor::empty({});
  after_device_work([inputs = std::move(inputs), result, compute = std::move(compute)] {
    const DeviceScope computes_on_host({});
    const NoRecord unrecorded;
    *result.data<float>() = float(compute(inputs));
  });
  return result;
}

void refuse_capture(const char* why) {
  if (kernels::gpu::QueueWatch* watch = kernels::gpu::QueueWatch::of_thread()) watch->refuse(why);
  check(capturing == nullptr, why);
}

CapturedWork::CapturedWork(Device device, const std::function<void()>& work) : device_(device) {
  check(capturing == nullptr, "capture: one is under way on this thread");
  check(device.is_cuda(), "capture: of work on a GPU, not on ", device);
  const DeviceScope scope(device);
  graph_ = std::make_unique<kernels::gpu::CapturedGraph>(device.index);
  struct Current {
    explicit Current(CapturedWork* c) { capturing = c; }
    ~Current() { capturing = nullptr; }
  };
  {
    const Current current(this);
    work();
  }
  graph_->finish();
}

void CapturedWork::replay() {
  if (!before_.empty() || !after_.empty()) wait();  // its memory may be in use
  for (const HostWork& work : before_) work();
  graph_->launch();
  runs_ = true;
}

void CapturedWork::wait() {
  if (!std::exchange(runs_, false)) return;
  synchronise(device_);
  for (const HostWork& work : after_) work();
}

size_t CapturedWork::bytes() const { return graph_->bytes(); }

}  // namespace limber
