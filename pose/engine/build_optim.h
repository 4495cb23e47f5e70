// Optimisers, schedulers and averages from MMPose's `optim_wrapper`, `param_scheduler` and EMA
// hook. Unknown types and keys throw InputError with the path.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "nn/optim/ema.h"
#include "nn/optim/optim_wrapper.h"
#include "nn/optim/schedule.h"
#include "pose/config/config.h"

namespace limber {

struct BuiltOptim {
  OptimWrapper wrapper;
  std::vector<std::string> notes;  // what is accepted but has no effect here, for the log
};

// Mixed precision wants the store on a GPU; elsewhere AmpOptimWrapper trains in f32 and says so.
// `lr_scale` multiplies the learning rate before anything is derived from it (auto_scale_lr).
BuiltOptim build_optim_wrapper(const Config& config, ParameterStore& store, double lr_scale = 1);

// `config`: one scheduler or a list; null gives none. `epoch_length`: iterations per epoch, for
// convert_to_iter_based. The optimiser must outlive the result.
std::vector<std::unique_ptr<Scheduler>> build_schedulers(const Config& config, Optimizer& optimizer,
                                                         int64_t epoch_length);

// ema_type, momentum, gamma, interval and update_buffers of an EMA hook; its other keys are the
// caller's.
AverageOptions read_average(const Config& hook);

}  // namespace limber
