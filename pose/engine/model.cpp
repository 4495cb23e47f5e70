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
  if (initialise) {
    model.notes = apply_model_init(node, root);
    for (const SubModel& part : model.estimator->submodels())
      for (const std::string& note : apply_model_init(part.model, root / part.path))
        model.notes.push_back(note);
  }
  model.store->train(false);
  return model;
}

void load_model(const Model& model, const std::string& checkpoint) {
  load_weights(*model.store, upgraded(read_weights(checkpoint), *model.store), checkpoint);
}

void Model::to(Device target) {
  store->to(target);
  preprocessor->set_device(target);
  device = target;
}

void Model::predict(std::vector<DataSample>& samples) const {
  std::vector<Tensor> scales{(*preprocessor)(samples, /*training=*/false)};
  const auto images = [](const DataSample& sample) -> const std::vector<Tensor>* {
    const auto it = sample.meta.more.find("inputs");  // at all scales
    return it == sample.meta.more.end() ? nullptr : &it->second;
  };
  const size_t count = images(samples[0]) != nullptr ? images(samples[0])->size() : 1;
  for (size_t i = 1; i < count; ++i) {
    std::vector<Tensor> at_scale;
    for (const DataSample& sample : samples) at_scale.push_back(images(sample)->at(i));
    scales.push_back(preprocessor->stack(at_scale));
  }
  for (Tensor& inputs : scales) inputs = inputs.to(device);
  const DeviceScope scope(device);
  estimator->predict_scales(scales, samples);
}

}  // namespace limber
