// Streams, events and graphs of the emulator.
//
// What is queued on a stream runs at once, so that an error lands at the call that made it. After
// set_lazy(true) it runs when something waits for it and not before: a wait that is missing between
// two streams then shows as work that has not been done, or memory that is gone.
//
// A capturing stream runs nothing: its work goes into the graph, with the arguments that it had
// then, and is run by each launch of the graph. What a GPU refuses meanwhile is refused here.
#pragma once

#include <functional>

#include "kernels/cuda/emulator/runtime.h"

namespace limber::emulator {

// Queues work; returns its status where it runs at once. A kernel's errors are thrown.
cudaError_t enqueue(cudaStream_t stream, std::function<cudaError_t()> work);

// Runs all that is queued on the stream, or on all streams; returns the first error.
cudaError_t drain(cudaStream_t stream);
cudaError_t drain_all();

bool is_capturing(cudaStream_t stream);
// For calls that a capture does not allow: cudaSuccess outside of one; inside, the capture is
// spoilt and cudaErrorStreamCaptureUnsupported is returned. `stream` may be the default one.
cudaError_t refuse_while_capturing(cudaStream_t stream);
// The same for calls that touch no stream, of a thread that captures and is not in relaxed mode.
cudaError_t refuse_unless_relaxed();

void set_lazy(bool lazy);

}  // namespace limber::emulator
