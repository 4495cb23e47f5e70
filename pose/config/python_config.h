// MMPose's Python configs, read by an evaluator of our own for the expressions that configs are
// made of. Nothing is executed or imported.
#pragma once

#include <string>

#include "pose/config/config.h"

namespace limber {

class ConfigChain;

// The names that the file defines, in order, on top of its bases; names that begin with two
// underscores are left out, tuples are lists, a class imported as a value is its name. Throws
// InputError with file, line, column and the construct for anything outside of the subset.
Config load_python_config(const std::string& file, ConfigChain& chain);

}  // namespace limber
