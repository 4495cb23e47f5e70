// What happens between a loss and changed parameters: backward, accumulation over several
// iterations, clipping, the optimiser's step.
#pragma once

#include <optional>

#include "autograd/autograd.h"
#include "nn/optim/optimizer.h"

namespace limber {

struct ClipOptions {
  enum class By : uint8_t { none, norm, value };
  By by = By::none;
  double max = 0;        // of the norm or of each element
  double norm_type = 2;  // infinity: the largest element
};

class OptimWrapper {
 public:
  OptimWrapper(Optimizer optimizer, int accumulative_counts = 1, const ClipOptions& clip = {});

  // Where training starts and ends, in iterations: the last, incomplete window of an accumulation
  // divides its losses by its own length and steps at the end.
  void set_progress(int64_t done, int64_t total);

  // Backward from `loss` (one element), and at the end of a window the step. Returns whether the
  // parameters changed.
  bool update(Tape& tape, const Tensor& loss);

  Optimizer& optimizer() { return optimizer_; }
  const Optimizer& optimizer() const { return optimizer_; }
  // Before clipping, at the last step; absent without clipping by norm.
  std::optional<double> gradient_norm() const { return norm_; }

 private:
  double loss_divisor() const;
  void step();

  Optimizer optimizer_;
  int accumulative_counts_;
  ClipOptions clip_;
  int64_t done_ = 0, total_ = -1;
  std::optional<double> norm_;
};

}  // namespace limber
