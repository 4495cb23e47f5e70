// Small networks of every kind, for tests that must hold for all of them.
#pragma once

#include <string>
#include <vector>

#include "nn/scope.h"
#include "tensor/shape.h"

namespace limber::test {

struct NetworkCase {
  std::string name;   // of letters, digits and _
  std::string model;  // the config's `model` node
  Shape input;        // (1, H, W, 3), or whatever the model takes
};

const std::vector<NetworkCase>& network_cases();
const NetworkCase& network_case(const std::string& name);  // throws where there is none

// Gives running statistics and the weights of norms other values than those they start with.
void stir(ParameterStore& store);

}  // namespace limber::test
