// train/: one training step of whole networks: losses, gradients of all parameters, buffers.
#include "autograd/autograd.h"
#include "pose/estimators/estimator.h"
#include "tests/oracle/networks.h"

namespace limber::oracle {

void check_training(const File& file, Report& report) {
  ParameterStore store(0, /*initialise=*/false);
  std::unique_ptr<Estimator> model;
  Case result(file.name);
  std::vector<DataSample> samples;
  try {
    model = make_estimator(to_config(file.json.at("model"), "model"), Scope(store));
    samples = encode_samples(file, result);
  } catch (const InputError& error) {
    if (!is_unknown_type(error)) throw;
    report.skip(file.name, error.what());
    return;
  }
  fill(store, file.json.value("gain", 1.0));
  store.train(true);
  for (const Parameter& p : store.all())
    if (p.role == Role::parameter) require_grad(p.value);
  const auto dims = file.json.at("input_shape").get<std::vector<int64_t>>();
  {
    Tape tape;
    const Tensor input = channels_last(hash_image(Shape(std::span<const int64_t>(dims))));
    const Losses losses = model->loss(input, samples);
    check_losses_of_step(file.json, losses, result);
    tape.backward(total_loss(losses));
  }
  check_gradients(file.json.at("grads"), store, {}, result);
  check_buffers(file.json.value("buffers_after", Json::array()), store, result);
  report.add(result);
}

}  // namespace limber::oracle
