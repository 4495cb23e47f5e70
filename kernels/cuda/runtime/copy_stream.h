// Copies to a GPU that run beside its other work: on a stream of their own, from pinned memory.
#pragma once

#include <cstddef>
#include <memory>

namespace limber::kernels::gpu {

// The order between the two streams is the caller's to ask for. A buffer is filled and read in
// turns by
//   follow();   // the device's stream has been given the last reader of the buffer
//   copy(...);
//   publish();  // and from here on it is given the next
class CopyStream {
 public:
  explicit CopyStream(int index);
  ~CopyStream();
  CopyStream(const CopyStream&) = delete;
  CopyStream& operator=(const CopyStream&) = delete;

  // Copies from here on come after what the device's stream has been given by now.
  void follow();
  void copy(void* to, const void* from, size_t bytes);
  // What the device's stream is given from here on comes after the copies.
  void publish();
  void wait();  // until the copies are done, and their pinned memory may be written again

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace limber::kernels::gpu
