// What a test that trains a network by hand needs.
#pragma once

#include "autograd/autograd.h"
#include "nn/optim/optimizer.h"
#include "nn/scope.h"

namespace limber::test {

// All trainable parameters of the store, which from now on get gradients, to learn at one rate.
inline ParamGroup learning_group(ParameterStore& store, double lr) {
  ParamGroup group;
  for (const Parameter& p : store.all())
    if (p.role == Role::parameter && p.trainable) {
      require_grad(p.value);
      group.parameters.push_back(store.find(p.name));
    }
  group[Hyper::lr] = lr;
  return group;
}

}  // namespace limber::test
