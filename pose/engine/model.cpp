#include "pose/engine/model.h"

#include "pose/engine/checkpoint_names.h"
#include "pose/engine/init_cfg.h"

namespace limber {

Model build_model(const Config& config, uint64_t seed, bool initialise) {
  const Config node = config.at("model");
  Model model;
  model.store = std::make_unique<ParameterStore>(seed, initialise);
  const Scope root(*model.store);
  model.estimator = make_estimator(node, root);
  model.preprocessor = std::make_unique<Preprocessor>(node.find("data_preprocessor"));
  if (initialise) model.notes = apply_model_init(node, root);
  model.store->train(false);
  return model;
}

void load_model(const Model& model, const std::string& checkpoint) {
  load_weights(*model.store, upgraded(read_weights(checkpoint), *model.store), checkpoint);
}

void Model::predict(std::vector<DataSample>& samples) const {
  const Tensor inputs = (*preprocessor)(samples, /*training=*/false);
  estimator->predict(inputs, samples);
}

}  // namespace limber
