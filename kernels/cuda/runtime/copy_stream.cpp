#include "kernels/cuda/runtime/copy_stream.h"

#include "kernels/cuda/runtime/check.h"
#include "kernels/cuda/runtime/device_state.h"

namespace limber::kernels::gpu {

struct CopyStream::State {
  cudaStream_t device = nullptr, copies = nullptr;
  cudaEvent_t reached = nullptr;  // by either stream, as an order is asked for

  ~State() {
    if (copies != nullptr) cudaStreamSynchronize(copies);
    if (reached != nullptr) cudaEventDestroy(reached);
    if (copies != nullptr) cudaStreamDestroy(copies);
  }
  void order(cudaStream_t first, cudaStream_t then) const {
    cuda_check(cudaEventRecord(reached, first));
    cuda_check(cudaStreamWaitEvent(then, reached, 0));
  }
};

CopyStream::CopyStream(int index) : state_(std::make_unique<State>()) {
  state_->device = state_of(index).stream;
  cuda_check(cudaStreamCreateWithFlags(&state_->copies, cudaStreamNonBlocking));
  cuda_check(cudaEventCreateWithFlags(&state_->reached, cudaEventDisableTiming));
}

CopyStream::~CopyStream() = default;

void CopyStream::follow() { state_->order(state_->device, state_->copies); }
void CopyStream::publish() { state_->order(state_->copies, state_->device); }
void CopyStream::wait() { cuda_check(cudaStreamSynchronize(state_->copies)); }

void CopyStream::copy(void* to, const void* from, size_t bytes) {
  if (bytes == 0) return;
  cuda_check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyHostToDevice, state_->copies));
}

}  // namespace limber::kernels::gpu
