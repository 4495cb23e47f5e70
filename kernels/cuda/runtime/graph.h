// CUDA graphs: work that is queued again and again with the same addresses and numbers, recorded
// once and launched as one.
//
// Between the constructor and finish() whatever the calling thread queues on the device's stream is
// recorded and not run. Numbers and host memory are taken as they are then, but for copies from
// pinned memory, which read it at every launch: that is how a launch is given new numbers. Memory
// that is allocated meanwhile belongs to the graph, and its address stays the same. Waiting for the
// device, and copies to pageable host memory, throw CudaError and spoil the recording; so does
// whatever CUDA does not allow in a capture. Nobody else may use the device's stream meanwhile.
#pragma once

#include <cstddef>
#include <memory>

namespace limber::kernels::gpu {

class CapturedGraph {
 public:
  explicit CapturedGraph(int index);
  ~CapturedGraph();  // waits for the device; also gives up a recording under way
  CapturedGraph(const CapturedGraph&) = delete;
  CapturedGraph& operator=(const CapturedGraph&) = delete;

  void finish();         // ends the recording
  void launch();         // queues what was recorded
  size_t bytes() const;  // of device memory that belongs to the graph

 private:
  struct State;
  std::unique_ptr<State> state_;
};

bool is_capturing(int index);

// Why nothing is captured in this process, "" where it may be: LIMBER_CUDA_SYNC=1 waits for every
// kernel, which a capture does not allow.
const char* why_no_capture();

}  // namespace limber::kernels::gpu
