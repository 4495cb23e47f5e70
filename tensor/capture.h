// Work on a GPU that is done again and again with other numbers: recorded once as a CUDA graph,
// then replayed.
//
// What such work takes from the host is given by the functions below. Outside of a capture they act
// at once; inside, they leave with the graph what is to be done on the host for each replay, in the
// same order, so that a replay draws the same random numbers and counts the same steps as the work
// itself would. Host memory that reaches the device in any other way, and numbers that an op was
// made with, are those of the capture in every replay.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "kernels/cuda/runtime/graph.h"
#include "tensor/op.h"

namespace limber {

// A tensor on the host in memory that a GPU reads by itself: copies from it wait for nobody, so it
// must stay as it is until they are done. Throws where there is no GPU.
Tensor pinned_tensor(const Shape& shape, DType dtype = DType::f32);

using HostWork = std::function<void()>;

// On the host, before the device's work: `work` is done now, or in a capture before each replay.
void before_device_work(HostWork work);
// Likewise after it, with what fetched() brought; in a capture after each replay has ended.
void after_device_work(HostWork work);

// Memory on the host that before_device_work() writes and a copy to the device reads: the one copy
// that follows, in a capture that of each replay.
Tensor host_memory(const Shape& shape, DType dtype);
// A tensor on the host that `fill` writes before the device's work, to be copied to the device.
Tensor fed(const Shape& shape, DType dtype, const std::function<void(const Tensor&)>& fill);
// The numbers of a tensor on a GPU, on the host: now, or in a capture after each replay, when only
// functions of after_device_work may read them. A tensor on the host is given back as it is.
Tensor fetched(const Tensor& t);
// A scalar on the host that `compute` makes of the numbers of tensors on any device; in a capture
// it is there after each replay.
Tensor host_number(std::vector<Tensor> inputs,
                   std::function<double(std::span<const Tensor>)> compute);

// In a capture, and where work is watched to see whether it may be captured: says that it may not.
void refuse_capture(const char* why);

// Sees every op of the calling thread, recorded or not, while it is set; null otherwise.
Recorder*& current_watcher();

class CapturedWork {
 public:
  // Records what `work` queues on the device; neither that nor any host work is done. Throws what
  // `work` throws, CudaError where it waits for the device or does what CUDA does not capture.
  CapturedWork(Device device, const std::function<void()>& work);
  // Does the host work of before, then queues the device's. Where there is host work, it waits for
  // the replay before.
  void replay();
  void wait();           // until the replay has ended; then does the host work of after
  size_t bytes() const;  // of device memory that belongs to it

 private:
  Device device_;
  std::vector<HostWork> before_, after_;
  bool runs_ = false;
  std::unique_ptr<kernels::gpu::CapturedGraph> graph_;

  friend void before_device_work(HostWork work);
  friend void after_device_work(HostWork work);
};

}  // namespace limber
