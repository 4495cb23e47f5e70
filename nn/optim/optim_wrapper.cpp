#include "nn/optim/optim_wrapper.h"

#include <algorithm>
#include <cmath>

namespace limber {

OptimWrapper::OptimWrapper(Optimizer optimizer, int accumulative_counts, const ClipOptions& clip,
                           const AmpOptions& amp)
    : optimizer_(std::move(optimizer)),
      accumulative_counts_(accumulative_counts),
      clip_(clip),
      precision_(amp.dtype) {
  if (amp.scaler) scaler_.emplace(*amp.scaler);
  check(accumulative_counts >= 1, "optim_wrapper: accumulative_counts must be at least 1, not ",
        accumulative_counts);
  check(clip.by == ClipOptions::By::none || clip.max > 0,
        "optim_wrapper: clip_grad needs a positive limit, not ", clip.max);
}

void OptimWrapper::set_progress(int64_t done, int64_t total) {
  check(done >= 0 && total >= done, "optim_wrapper: ", done, " of ", total, " iterations done");
  done_ = done;
  total_ = total;
}

double OptimWrapper::loss_divisor() const {
  if (total_ < 0) return accumulative_counts_;
  const int64_t remainder = total_ % accumulative_counts_;
  return done_ < total_ - remainder ? accumulative_counts_ : double(remainder);
}

bool OptimWrapper::update(Tape& tape, const Tensor& loss) {
  check(loss.numel() == 1, "optim_wrapper: a loss of shape ", loss.shape(), ", one number needed");
  check(total_ < 0 || done_ < total_, "optim_wrapper: all ", total_, " iterations are done");
  const double seed = (scaler_ ? scaler_->scale() : 1) / loss_divisor();
  tape.backward(loss, Tensor::full(loss.shape(), seed, loss.dtype()));
  ++done_;
  if (done_ % accumulative_counts_ != 0 && done_ != total_) return false;
  return step();
}

// torch.nn.utils.clip_grad_norm_ and clip_grad_value_; the optimiser's kernel applies the factor,
// together with the scaler's. The largest gradient says whether all are finite: it cannot overflow
// as other norms do.
bool OptimWrapper::step() {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  double scale = 1, limit = kInfinity;
  bool skipped = false;
  if (scaler_) {
    scale = 1 / scaler_->scale();
    skipped = !std::isfinite(limber::gradient_norm(optimizer_.gradients(), kInfinity));
    scaler_->update(skipped);
  }
  if (clip_.by == ClipOptions::By::norm) {
    norm_ = scale * limber::gradient_norm(optimizer_.gradients(), clip_.norm_type);
    const double factor = clip_.max / (*norm_ + 1e-6);
    scale *= factor > 1 ? 1 : factor;  // NaN stays
  } else if (clip_.by == ClipOptions::By::value) {
    limit = clip_.max;
  }
  if (!skipped) optimizer_.step(scale, limit);
  optimizer_.zero_grad();
  return !skipped;
}

}  // namespace limber
