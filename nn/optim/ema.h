// Averages of a model's weights over training, kept beside the model and swapped in for
// validation: MMEngine's averaged models and MMPose's ExpMomentumEMA.
#pragma once

#include "nn/optim/optimizer.h"

namespace limber {

struct AverageOptions {
  enum class Kind : uint8_t {
    exponential,   // ExponentialMovingAverage: weight momentum
    exp_momentum,  // ExpMomentumEMA: (1 - momentum) exp(-(1 + steps) / gamma) + momentum
    annealing,     // MomentumAnnealingEMA: max(momentum, gamma / (gamma + steps))
    stochastic     // StochasticWeightAverage: the plain mean, arXiv 1803.05407
  };
  Kind kind = Kind::exponential;
  double momentum = 0.0002;  // share of the model in the average, in (0, 1)
  double gamma = 2000;
  int64_t interval = 1;  // updates per averaging
  // Average the floating-point buffers too; otherwise they are copied from the model. Integer
  // buffers stay at the first update's then, as in MMEngine.
  bool update_buffers = false;
};

class AveragedModel {
 public:
  AveragedModel(ParameterStore& store, const AverageOptions& options);

  // The model has made a step. May be captured (tensor/capture.h) after the first where
  // is_uniform().
  void update();
  bool is_uniform() const { return options_.interval == 1; }  // each step averages
  // Exchanges the model's numbers and the averages.
  void swap();

  int64_t steps() const { return steps_; }
  // The averages under the parameters' own names.
  const std::vector<NamedTensor>& averages() const { return averages_; }
  // Throws InputError unless the names and shapes are those of averages().
  void load(const std::vector<NamedTensor>& averages, int64_t steps);

 private:
  double weight() const;

  AverageOptions options_;
  std::vector<Parameter*> sources_;
  std::vector<NamedTensor> averages_;
  int64_t steps_ = 0;
};

}  // namespace limber
