// A small network of every family with targets to train it on: whole models where backbones differ,
// heads on random maps where heads do.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "pose/estimators/estimator.h"
#include "pose/heads/head.h"

namespace limber::test {

struct TrainingFamily {
  std::string name;
  std::string model;           // a config's `model` node, or a head's
  std::vector<Tensor> inputs;  // the model's one, or the head's maps; on the CPU, as the samples
  std::vector<DataSample> samples;
};

const std::vector<TrainingFamily>& training_families();

// One of them in training mode on a device, always with the same weights.
class TrainingNetwork {
 public:
  TrainingNetwork(const TrainingFamily& family, Device device);
  // The sum of the losses; the same every time but for what training has changed.
  Tensor loss() const;
  // What a head finds in its maps, sample by sample, without a flip test.
  std::vector<Instances> predict() const;

 private:
  Features inputs() const;

  const TrainingFamily& family_;
  Device device_;
  std::unique_ptr<Estimator> estimator_;
  std::unique_ptr<Head> head_;

 public:
  ParameterStore store;
};

}  // namespace limber::test
