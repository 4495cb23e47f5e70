#include "kernels/cuda/runtime/graph.h"

#include "kernels/cuda/runtime/check.h"
#include "kernels/cuda/runtime/device_state.h"
#include "kernels/cuda/runtime/gpu.h"

namespace limber::kernels::gpu {
GraphMemory::~GraphMemory() {
  for (const auto& [block, bytes] : sizes_) cudaFree(block);
  for (void* block : kept_) cudaFree(block);
  for (void* block : pinned_) release_pinned(block);
}

void* GraphMemory::allocate(size_t bytes) {
  const auto fitting = free_.lower_bound(bytes);
  if (fitting != free_.end() && fitting->first <= 2 * bytes) {
    void* block = fitting->second;
    free_.erase(fitting);
    return block;
  }
  const Relaxed relaxed;
  void* block = nullptr;
  cuda_check(cudaMalloc(&block, bytes));
  sizes_[block] = bytes;
  bytes_ += bytes;
  return block;
}

void GraphMemory::release(void* block) { free_.emplace(sizes_.at(block), block); }

void* GraphMemory::allocate_pinned(size_t bytes) {
  return pinned_.emplace_back(gpu::allocate_pinned(bytes));
}

struct CapturedGraph::State {
  int index;
  DeviceState& device;
  std::shared_ptr<GraphMemory> memory = std::make_shared<GraphMemory>();
  cudaGraphExec_t graph = nullptr;  // null: not finished

  void end_recording() {
    std::lock_guard lock(device.mutex);
    device.capturing = nullptr;
  }
};

CapturedGraph::CapturedGraph(int index)
    : state_(std::make_unique<State>(State{index, state_of(index)})) {
  DeviceState& device = state_->device;
  cuda_check(cudaStreamBeginCapture(device.stream, cudaStreamCaptureModeThreadLocal));
  std::lock_guard lock(device.mutex);
  device.capturing = state_->memory;
}

void CapturedGraph::finish() {
  State& s = *state_;
  s.end_recording();
  cudaGraph_t graph = nullptr;
  cuda_check(cudaStreamEndCapture(s.device.stream, &graph));
  const cudaError_t status = cudaGraphInstantiate(&s.graph, graph, 0);
  cudaGraphDestroy(graph);
  check_status(status, "cudaGraphInstantiate");
  std::lock_guard lock(s.device.mutex);
  s.device.in_graphs += s.memory->bytes();
  s.device.requests += s.memory->blocks();
}

void CapturedGraph::launch() {
  cuda_check(cudaGraphLaunch(state_->graph, state_of(state_->index).stream));
}

size_t CapturedGraph::bytes() const { return state_->memory->bytes(); }

CapturedGraph::~CapturedGraph() {
  State& s = *state_;
  if (s.graph == nullptr) {
    s.end_recording();
    cudaGraph_t spoilt = nullptr;
    cudaStreamEndCapture(s.device.stream, &spoilt);
    if (spoilt != nullptr) cudaGraphDestroy(spoilt);
    cudaGetLastError();
    return;
  }
  cudaStreamSynchronize(s.device.stream);
  cudaGraphExecDestroy(s.graph);
  std::lock_guard lock(s.device.mutex);
  s.device.in_graphs -= s.memory->bytes();
}

bool is_capturing(int index) { return state_of(index).capturing != nullptr; }

const char* why_no_capture() {
  return waits_for_kernels() ? "LIMBER_CUDA_SYNC waits for every kernel" : "";
}

}  // namespace limber::kernels::gpu
