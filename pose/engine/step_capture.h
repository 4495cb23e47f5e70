// A training step as one CUDA graph: some iterations run as they are written, the next is recorded
// (tensor/capture.h), the rest are replays.
//
// Two of the first iterations are watched. Where they queue different work on the GPU, or where the
// host waits for numbers of the GPU in between, the model decides by its numbers what to do next
// (assigners of one-stage heads do), and a recording of one iteration would be wrong for the next:
// then no step is captured, and the log has the reason. The first iteration of each epoch is
// watched again, since losses may change with the epoch.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "pose/heads/head.h"
#include "tensor/capture.h"

namespace limber {

class StepCapture {
 public:
  // What a step leaves behind, on the host or the device; of a replay it is there after wait().
  using Step = std::function<Losses()>;

  // `why_not`: "" where steps may be captured. `abandon` puts in order what a recording that failed
  // has left half done; `tell` takes the one line about what came of it.
  StepCapture(Device device, std::string why_not, std::function<void()> abandon,
              std::function<void(const std::string&)> tell);

  // Does `step` on numbers of these shapes, which lie where they lay the last time. A batch of
  // other shapes than the captured one (the last of an epoch may be smaller) runs as it is written.
  Losses run(const std::string& shapes, const Step& step);
  void wait();         // until what run() replayed is done
  void begin_epoch();  // what the model does may change from here on
  bool is_captured() const { return work_.has_value(); }
  int64_t replays() const { return replays_; }  // so far

 private:
  // What an iteration queued: names and hashes of what a recording keeps of it.
  struct Trace {
    std::vector<std::pair<std::string, uint64_t>> steps;
    std::string refusal;
  };
  enum class Stage : uint8_t { warm_up, watched, known, off };

  Losses watched(const Step& step);
  void compare(Trace trace);
  void stop(const std::string& why);
  Losses capture(const Step& step);
  const Losses& replay();

  Device device_;
  std::function<void()> abandon_;
  std::function<void(const std::string&)> tell_;
  Stage stage_ = Stage::warm_up;
  bool confirmed_ = false;  // two iterations have done what trace_ says
  bool told_ = false;
  int changes_of_shape_ = 0;
  int64_t replays_ = 0;
  std::string shapes_;
  Trace trace_;
  std::optional<CapturedWork> work_;
  Losses results_;  // of the captured step
};

// The shapes of all that a step reads of a batch.
std::string shapes_of(const Tensor& inputs, ConstBatch samples);

}  // namespace limber
