// Optimisers with PyTorch's formulas over groups of parameters.
//
// A group has its own learning rate, momentum and weight decay, which schedulers change; the rest
// is common. Gradients are those that Tape::backward() left on the parameters. A parameter without
// a gradient is left alone, as PyTorch does, and its step is not counted.
#pragma once

#include <array>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "nn/scope.h"
#include "tensor/serialize.h"

namespace limber {

// The values of a group that a scheduler may drive. `momentum` is beta1 in the Adam family.
enum class Hyper : uint8_t { lr, momentum, weight_decay };

struct ParamGroup {
  std::vector<Parameter*> parameters;
  std::array<double, 3> values{};
  // Before any scheduler changed it; set by the first that drives the value.
  std::array<std::optional<double>, 3> initial{};

  double& operator[](Hyper h) { return values[size_t(h)]; }
  double operator[](Hyper h) const { return values[size_t(h)]; }
};

enum class OptimizerKind : uint8_t { sgd, adam, adamw, rmsprop, adagrad, adamax };

struct OptimizerOptions {
  OptimizerKind kind = OptimizerKind::sgd;
  double lr = 0;
  std::optional<double> weight_decay;  // multipliers of decay need one; absent counts as 0
  double momentum = 0;                 // beta1 in the Adam family
  double dampening = 0;
  bool nesterov = false;
  double beta2 = 0.999;
  double eps = 1e-8;
  bool amsgrad = false;
  double alpha = 0.99;  // RMSprop
  bool centered = false;
  double lr_decay = 0;  // Adagrad
  double initial_accumulator = 0;

  // PyTorch's defaults; SGD has no default learning rate.
  static OptimizerOptions defaults(OptimizerKind kind);
};

class Optimizer {
 public:
  static constexpr double kNoLimit = std::numeric_limits<double>::infinity();

  // Throws when two groups hold one tensor or when an option is out of its range.
  Optimizer(const OptimizerOptions& options, std::vector<ParamGroup> groups);

  // One update with g = clamp(scale * gradient, -limit, limit).
  void step(double scale = 1, double limit = kNoLimit);
  // The same with the scale of a kernels::GradControl where the parameters lie, which may also say
  // that the step be skipped; uncount_step() is for when it did.
  void step(const Tensor& control, double limit = kNoLimit);
  void uncount_step();
  void zero_grad();
  std::vector<Tensor> gradients() const;  // those there are

  std::vector<ParamGroup>& groups() { return groups_; }
  const std::vector<ParamGroup>& groups() const { return groups_; }
  const OptimizerOptions& options() const { return options_; }

  // Moments and buffers as "exp_avg/NAME" and so on, number of steps as "step/NAME", gradients
  // that wait for the rest of an accumulation as "grad/NAME". The tensors are the optimiser's own.
  std::vector<NamedTensor> state() const;
  // Takes over what state() gave; entries for other parameters throw InputError.
  void load_state(const std::vector<NamedTensor>& state);

 private:
  struct Slot {
    Parameter* parameter;
    size_t group;
    int64_t steps = 0;
    std::array<Tensor, 3> state{};
  };
  template <class Step, class Kernel, class Make>
  void run(const Kernel& kernel, const Tensor& control, double limit, const Make& make);
  void make_state(Slot& slot) const;

  OptimizerOptions options_;
  std::vector<ParamGroup> groups_;
  std::vector<Slot> slots_;
  std::vector<Slot*> stepped_;  // by the last step
};

// The p-norm of all gradients as one vector, p > 0 or infinite.
double gradient_norm(const std::vector<Tensor>& gradients, double p);
// What it is made of: f64 (n,), for each piece of a gradient the sum of |g|^p, or the largest |g|;
// where the gradients lie, which is one device.
Tensor gradient_sums(const std::vector<Tensor>& gradients, double p);

}  // namespace limber
