// Memory for what one thread prepares and all threads of a parallel loop read.
#pragma once

#include <cstddef>

namespace limber::kernels {

// As thread_scratch(), which loop bodies use up: a second one of the calling thread, valid until
// its next call on the same thread.
void* shared_scratch(size_t bytes);

}  // namespace limber::kernels
