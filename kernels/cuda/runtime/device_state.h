// What the runtime keeps for each device; for the files of this folder.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "kernels/cuda/api.h"

namespace limber::kernels::gpu {

// Calls that touch no stream, such as cudaMalloc, are allowed while one of these lives; else the
// driver refuses them to a thread that captures.
class Relaxed {
 public:
  Relaxed() { cudaThreadExchangeStreamCaptureMode(&mode_); }
  ~Relaxed() { cudaThreadExchangeStreamCaptureMode(&mode_); }
  Relaxed(const Relaxed&) = delete;
  Relaxed& operator=(const Relaxed&) = delete;

 private:
  cudaStreamCaptureMode mode_ = cudaStreamCaptureModeRelaxed;
};

// The memory of one captured graph. Its launches write to the addresses that were handed out while
// it was captured, so nothing of it serves anybody else before the graph is gone.
class GraphMemory {
 public:
  ~GraphMemory();
  // Reuses what was released in this capture, the smallest block that is at most twice too large.
  void* allocate(size_t bytes);
  void release(void* block);
  // A block from outside that was released while the graph was captured: launches may read it.
  void keep(void* block) { kept_.push_back(block); }
  // Host memory that a copy of the graph reads at every launch.
  void* allocate_pinned(size_t bytes);
  size_t bytes() const { return bytes_; }
  size_t blocks() const { return sizes_.size(); }

 private:
  std::multimap<size_t, void*> free_;
  std::map<void*, size_t> sizes_;  // of all blocks
  std::vector<void*> kept_, pinned_;
  size_t bytes_ = 0;
};

struct DeviceState {
  std::mutex mutex;
  cudaStream_t stream = nullptr;
  cudaMemPool_t pool = nullptr;
  size_t live = 0, peak = 0, in_graphs = 0;                 // bytes
  size_t requests = 0;                                      // blocks asked of the driver
  std::shared_ptr<GraphMemory> capturing;                   // null: no capture under way
  std::map<void*, std::shared_ptr<GraphMemory>> of_graphs;  // blocks in use that are a graph's
};

// The state of a device that is there, which becomes the calling thread's current one.
DeviceState& state_of(int index);

}  // namespace limber::kernels::gpu
