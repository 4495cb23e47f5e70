// PyTorch checkpoints (.pth), written.
#pragma once

#include <string>

#include "nn/pickle_value.h"

namespace limber {

// Writes the tree as torch.save does (zip form, pickle protocol 2), atomically. Tensors that share
// a handle share a storage. Throws Error for objects of other classes and for trees that are deeper
// than 200.
void save_pth(const std::string& path, const PickleValue& tree);

}  // namespace limber
