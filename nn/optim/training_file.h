// A whole training run in one safetensors file: weights, optimiser, loss scale, averages,
// schedulers, random generators. A run resumed from it computes the same bits as one that was never
// interrupted.
//
// Weights stand under their own names, so that the file is a weights file for every reader of
// such. With an average these are the averaged weights, as MMEngine saves them; the raw ones and
// everything else stand under "training/", numbers that are no tensors as JSON in the metadata.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "nn/checkpoint.h"
#include "nn/optim/ema.h"
#include "nn/optim/grad_scaler.h"
#include "nn/optim/schedule.h"
#include "tensor/random.h"

namespace limber {

struct TrainingInfo {
  int64_t epoch = 0, iter = 0;  // finished ones
  uint64_t seed = 0;
  std::string config = "";   // its text
  std::string message = "";  // whatever the trainer wants back (a JSON text, say)
};

// What is saved and restored; pointers may be null where there is no such part.
struct TrainingParts {
  ParameterStore* store = nullptr;
  Optimizer* optimizer = nullptr;
  GradScaler* scaler = nullptr;
  AveragedModel* average = nullptr;
  std::vector<Scheduler*> schedulers{};
  std::vector<std::pair<std::string, Random*>> randoms{};
};

// To be called outside of a swapped average: the store holds the raw weights.
void save_training(const std::string& path, const TrainingParts& parts, const TrainingInfo& info);

// Throws InputError where the file is of another model, another optimiser or no training file. An
// average that the file does not have starts from the weights, a scaler from its options.
TrainingInfo load_training(const std::string& path, const TrainingParts& parts);

}  // namespace limber
