#include "pose/losses/multiple.h"

#include "tensor/error.h"

namespace limber {
namespace {

struct MultipleLossWrapper : Loss {
  std::vector<std::unique_ptr<Loss>> losses;

  MultipleLossWrapper(const Config& c, const Scope& s) {
    const Config list = c.at("losses");
    check_input(list.is_list(), list.path(), ": a list of losses expected");
    for (size_t i = 0; i < list.size(); ++i)
      losses.push_back(make_loss(list.at(i), s / "loss_modules" / int(i)));
  }

  std::vector<Tensor> operator()(const LossInput& in) const override {
    check(in.outputs.size() == losses.size() && in.targets.size() == losses.size(),
          "MultipleLossWrapper: ", losses.size(), " losses, ", in.outputs.size(), " outputs, ",
          in.targets.size(), " targets");
    std::vector<Tensor> values;
    for (size_t i = 0; i < losses.size(); ++i)
      values.push_back(losses[i]->single({.outputs = {in.outputs[i]},
                                          .targets = {in.targets[i]},
                                          .weight = in.weight,
                                          .mask = in.mask}));
    return values;
  }
};

}  // namespace

std::unique_ptr<Loss> make_multiple_losses(const Config& config, const Scope& scope) {
  return std::make_unique<MultipleLossWrapper>(config, scope);
}

}  // namespace limber
