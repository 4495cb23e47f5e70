#include "kernels/cuda/emulator/stream.h"

#include <algorithm>
#include <deque>
#include <memory>
#include <mutex>
#include <vector>

using Work = std::function<cudaError_t()>;

struct EmulatedGraph {
  std::vector<Work> nodes;
};

struct EmulatedGraphExec {
  std::shared_ptr<const std::vector<Work>> nodes;
};

struct EmulatedStream {
  std::deque<Work> queue;
  uint64_t queued = 0, done = 0;             // so far
  std::unique_ptr<EmulatedGraph> capturing;  // null: nobody captures
  bool spoilt = false;                       // the capture has met what it does not allow
};

// The end of what was queued on a stream at a moment.
struct EmulatedEvent {
  EmulatedStream* stream = nullptr;  // null: not recorded yet
  uint64_t end = 0;
};

namespace {

struct Streams {
  std::recursive_mutex mutex;
  EmulatedStream of_default;
  std::vector<EmulatedStream*> made;
  bool lazy = false;
};

// Never destroyed: static tensors are released after it would be.
Streams& streams() {
  static Streams& all = *new Streams;
  return all;
}

thread_local cudaStreamCaptureMode thread_mode = cudaStreamCaptureModeGlobal;
thread_local int captures_of_thread = 0;

EmulatedStream& at(cudaStream_t stream) {
  return stream == nullptr ? streams().of_default : *stream;
}

cudaError_t run_until(EmulatedStream& stream, uint64_t end) {
  cudaError_t first = cudaSuccess;
  while (stream.done < end) {
    const Work work = std::move(stream.queue.front());
    stream.queue.pop_front();
    ++stream.done;
    const cudaError_t status = work();
    if (first == cudaSuccess) first = status;
  }
  return first;
}

}  // namespace

namespace limber::emulator {

cudaError_t enqueue(cudaStream_t handle, Work work) {
  std::lock_guard lock(streams().mutex);
  EmulatedStream& stream = at(handle);
  if (stream.capturing != nullptr) {
    if (stream.spoilt) return cudaErrorStreamCaptureInvalidated;
    stream.capturing->nodes.push_back(std::move(work));
    return cudaSuccess;
  }
  if (!streams().lazy && stream.queue.empty()) return work();
  stream.queue.push_back(std::move(work));
  ++stream.queued;
  return streams().lazy ? cudaSuccess : run_until(stream, stream.queued);
}

cudaError_t drain(cudaStream_t stream) {
  std::lock_guard lock(streams().mutex);
  return run_until(at(stream), at(stream).queued);
}

cudaError_t drain_all() {
  std::lock_guard lock(streams().mutex);
  cudaError_t first = run_until(streams().of_default, streams().of_default.queued);
  for (EmulatedStream* stream : streams().made) {
    const cudaError_t status = run_until(*stream, stream->queued);
    if (first == cudaSuccess) first = status;
  }
  return first;
}

bool is_capturing(cudaStream_t stream) { return at(stream).capturing != nullptr; }

cudaError_t refuse_while_capturing(cudaStream_t stream) {
  if (!is_capturing(stream)) return cudaSuccess;
  at(stream).spoilt = true;
  return cudaErrorStreamCaptureUnsupported;
}

cudaError_t refuse_unless_relaxed() {
  if (captures_of_thread == 0 || thread_mode == cudaStreamCaptureModeRelaxed) return cudaSuccess;
  std::lock_guard lock(streams().mutex);
  for (EmulatedStream* stream : streams().made) stream->spoilt |= stream->capturing != nullptr;
  return cudaErrorStreamCaptureUnsupported;
}

void set_lazy(bool lazy) {
  drain_all();
  streams().lazy = lazy;
}

}  // namespace limber::emulator

using namespace limber::emulator;

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) {
  std::lock_guard lock(streams().mutex);
  *stream = streams().made.emplace_back(new EmulatedStream);
  return cudaSuccess;
}

cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  const cudaError_t status = drain(stream);
  std::lock_guard lock(streams().mutex);
  std::erase(streams().made, stream);
  delete stream;
  return status;
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned) {
  *event = new EmulatedEvent;
  return cudaSuccess;
}

cudaError_t cudaEventDestroy(cudaEvent_t event) {
  delete event;
  return cudaSuccess;
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  if (is_capturing(stream)) return cudaErrorNotSupported;  // would be a part of the graph
  *event = {&at(stream), at(stream).queued};
  return cudaSuccess;
}

cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned) {
  if (event->stream == nullptr) return cudaSuccess;
  if (is_capturing(stream)) {
    at(stream).spoilt = true;
    return cudaErrorStreamCaptureIsolation;
  }
  return enqueue(stream, [until = *event] { return run_until(*until.stream, until.end); });
}

cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  if (event->stream == nullptr) return cudaSuccess;
  if (const cudaError_t refused = refuse_while_capturing(event->stream)) return refused;
  std::lock_guard lock(streams().mutex);
  return run_until(*event->stream, event->end);
}

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode mode) {
  if (stream == nullptr) return cudaErrorStreamCaptureUnsupported;  // as the default stream's is
  if (stream->capturing != nullptr) return cudaErrorInvalidValue;
  if (mode != cudaStreamCaptureModeThreadLocal) return cudaErrorNotSupported;
  stream->capturing = std::make_unique<EmulatedGraph>();
  stream->spoilt = false;
  ++captures_of_thread;
  return cudaSuccess;
}

cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  *graph = nullptr;
  if (stream == nullptr || stream->capturing == nullptr) return cudaErrorInvalidValue;
  --captures_of_thread;
  const std::unique_ptr<EmulatedGraph> captured = std::move(stream->capturing);
  if (stream->spoilt) return cudaErrorStreamCaptureInvalidated;
  *graph = new EmulatedGraph(std::move(*captured));
  return cudaSuccess;
}

cudaError_t cudaThreadExchangeStreamCaptureMode(cudaStreamCaptureMode* mode) {
  std::swap(*mode, thread_mode);
  return cudaSuccess;
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t* made, cudaGraph_t graph, unsigned long long) {
  *made = new EmulatedGraphExec{std::make_shared<const std::vector<Work>>(graph->nodes)};
  return cudaSuccess;
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  delete graph;
  return cudaSuccess;
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t graph) {
  delete graph;
  return cudaSuccess;
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t graph, cudaStream_t stream) {
  return enqueue(stream, [nodes = graph->nodes] {
    for (const Work& node : *nodes)
      if (const cudaError_t status = node()) return status;
    return cudaSuccess;
  });
}
