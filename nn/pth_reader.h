// PyTorch checkpoints (.pth): both forms that torch.save has had, read without executing
// anything.
#pragma once

#include <string>

#include "nn/pickle_value.h"

namespace limber {

// The checkpoint's tree. Tensors are read from the mapped file when they are asked for and keep it
// alive. Throws InputError with the file, and with the offset and the name where the pickle wants
// something that is no part of a checkpoint.
PickleValue load_pth(const std::string& path);

// The dict from parameter names to tensors in a checkpoint's tree: under "state_dict" or "model",
// or the tree itself; with `ema`, under "ema_state_dict" or "state_dict_ema". A "module." that
// stands before all names is removed; entries that are no tensors are left out. Throws InputError
// where there is none.
PickleValue find_state_dict(const PickleValue& tree, bool ema = false);

}  // namespace limber
