// MMEngine's init_cfg: how a model's weights start, as its config says.
//
// A layer that an entry names is initialised wherever it stands below the module; names are those
// of PyTorch ("Conv2d", "BatchNorm2d", "_BatchNorm"). BatchNorm1d, 2d and 3d are one type here.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "pose/engine/pretrained.h"

namespace limber {

// Gives the weights of a checkpoint that an entry of type Pretrained names.
using PretrainedLoader = std::function<StateDict(const std::string& checkpoint)>;

// Applies one init_cfg (an object, a list, or null) to the parameters below `scope`; pretrained
// weights come last. Returns what the log should say. Unknown types, keys and layer names throw
// InputError.
std::vector<std::string> apply_init_cfg(const Config& init_cfg, const Scope& scope,
                                        const PretrainedLoader& load = read_pretrained);

// The init_cfg of a model and of its backbone, neck and head, as MMEngine orders them: the
// model's, its children's, the model's pretrained weights.
std::vector<std::string> apply_model_init(const Config& model, const Scope& root,
                                          const PretrainedLoader& load = read_pretrained);

}  // namespace limber
