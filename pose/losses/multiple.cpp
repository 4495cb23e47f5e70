#include "pose/losses/multiple.h"

#include "tensor/error.h"

namespace limber {
namespace {

struct SeveralLosses : Loss {
  std::vector<std::unique_ptr<Loss>> losses;

  std::vector<Tensor> operator()(const LossInput& in) const override {
    check(in.outputs.size() == losses.size() && in.targets.size() == losses.size(),
          "several losses: ", losses.size(), " losses, ", in.outputs.size(), " outputs, ",
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
  const Config list = config.at("losses");
  check_input(list.is_list(), list.path(), ": a list of losses expected");
  auto made = std::make_unique<SeveralLosses>();
  for (size_t i = 0; i < list.size(); ++i)
    made->losses.push_back(make_loss(list.at(i), scope / "loss_modules" / int(i)));
  return made;
}

std::unique_ptr<Loss> make_combined_losses(const Config& config, const Scope& scope) {
  const Config named = config.at("losses");
  check_input(named.is_object(), named.path(), ": an object of losses by name expected");
  auto made = std::make_unique<SeveralLosses>();
  for (const std::string& name : named.keys())
    made->losses.push_back(make_loss(named.at(name), scope / name));
  return made;
}

}  // namespace limber
