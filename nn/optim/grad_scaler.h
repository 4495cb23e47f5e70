// The factor that f16 training puts on the loss, so that small gradients do not vanish in 5 bits of
// exponent: torch.amp.GradScaler's rules. Micikevicius et al. 2018, arXiv 1710.03740, section 3.2.
#pragma once

#include <cstdint>
#include <optional>

namespace limber {

struct GradScalerOptions {
  double init_scale = 65536;
  double growth_factor = 2, backoff_factor = 0.5;
  int64_t growth_interval = 2000;  // steps without infinities until the factor grows
  std::optional<double> fixed{};   // the factor after every step, whatever happened in it
};

class GradScaler {
 public:
  // Throws where a factor or the interval is out of its range.
  explicit GradScaler(const GradScalerOptions& options);

  double scale() const { return scale_; }
  // After a step, or after one that was skipped since a gradient was not finite.
  void update(bool skipped);

  // What a resumed run goes on with.
  struct State {
    double scale = 0;
    int64_t steps_since_change = 0;
  };
  State state() const { return {scale_, steps_since_change_}; }
  void restore(const State& state);

 private:
  GradScalerOptions options_;
  double scale_;
  int64_t steps_since_change_ = 0;
};

}  // namespace limber
