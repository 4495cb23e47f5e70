// The names that a checkpoint may contain, and what becomes of them.
#pragma once

#include <string>
#include <vector>

#include "nn/pickle_value.h"

namespace limber {

// The class of "torch.storage"-typed persistent identifiers, e.g. "torch.FloatStorage". Throws
// InputError for any other text.
StoredType storage_type(const std::string& name);

// Whether the pickle may name this at all.
bool is_known_global(const std::string& name);

// The value of calling `name` with the arguments. Throws InputError where that is unknown.
PickleValue reduce_global(const std::string& name, const PickleValue& arguments);

// Applies the pickle's BUILD operation: what an object's __setstate__ would do. Returns the value
// that takes the object's place.
PickleValue build_object(const PickleValue& object, const PickleValue& state);

}  // namespace limber
