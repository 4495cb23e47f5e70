// Weights in files: a ParameterStore filled from the tensors of a checkpoint, and saved to
// safetensors, by PyTorch's names and in PyTorch's layout.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "nn/scope.h"
#include "tensor/serialize.h"

namespace limber {

using StateDict = std::vector<NamedTensor>;

struct LoadOptions {
  // Take only the names below this path of the file, and cut it off ("backbone").
  std::string file_prefix = "";
  // Fill only the parameters below this path of the model, whose names follow it in the file.
  std::string model_prefix = "";
  bool strict = true;
};

// What did not fit. Statistics counters that old checkpoints lack (num_batches_tracked), constants
// that the model computes itself and names of shared tensors whose other name was there are no
// faults.
struct LoadReport {
  std::vector<std::string> missing, unexpected, misshapen;
  bool clean() const { return missing.empty() && unexpected.empty() && misshapen.empty(); }
  std::string text() const;  // one line per kind
};

// Fills the store. A "module." before a name is dropped, f16 and bf16 are widened, training state
// in a file of ours is passed over. Strict: throws InputError with `source` (the file) and all
// faults, and changes nothing; otherwise loads what fits and reports the rest.
LoadReport load_weights(ParameterStore& store, const StateDict& weights, const std::string& source,
                        const LoadOptions& options = {});
// The tensors of a checkpoint, but for training state: a .pth by its content (either form of
// torch.save), else safetensors.
StateDict read_weights(const std::string& path);
// Fills the store from such a file.
LoadReport load_weights(ParameterStore& store, const std::string& path,
                        const LoadOptions& options = {});

StateDict weights_of(const ParameterStore& store);
void save_weights(const ParameterStore& store, const std::string& path,
                  const std::map<std::string, std::string>& metadata = {});

// Names that begin with this are training state, not weights (nn/optim/training_file.h).
constexpr std::string_view kTrainingPrefix = "training/";

}  // namespace limber
