// A model as a program uses it: parameters, network, preprocessing, built from a config.
#pragma once

#include <memory>
#include <string>

#include "nn/checkpoint.h"
#include "pose/estimators/estimator.h"
#include "pose/estimators/preprocessor.h"

namespace limber {

struct Model {
  std::unique_ptr<ParameterStore> store;
  std::unique_ptr<Estimator> estimator;
  std::unique_ptr<Preprocessor> preprocessor;
  std::vector<std::string> notes;  // what initialising has to say to the log
  Device device;                   // of the parameters; the network runs there

  // Moves the parameters.
  void to(Device target);
  // Preprocesses, runs and decodes a batch; fills the samples' pred_instances in image space.
  void predict(std::vector<DataSample>& samples) const;
};

// From the whole tree's `model` node. `initialise` false leaves the weights unset, for whoever
// loads a checkpoint next. Applies the node's init_cfg, pretrained weights included.
Model build_model(const Config& config, uint64_t seed, bool initialise = true);

// Loads a checkpoint's weights; throws InputError naming the file and all that does not fit.
void load_model(const Model& model, const std::string& checkpoint);

}  // namespace limber
