// train/: one training step of whole networks: losses, gradients of all parameters, buffers.
#include "autograd/autograd.h"
#include "pose/estimators/estimator.h"
#include "tests/oracle/networks.h"

namespace limber::oracle {

namespace {

void run_training_step(const File& file, const Precision& precision, Case& result) {
  ParameterStore store(0, /*initialise=*/false, precision.dtype);
  const auto model = make_estimator(to_config(file.json.at("model"), "model"), Scope(store));
  const std::vector<DataSample> samples = encode_samples(file, precision.dtype, result);
  fill(store, file.json.value("gain", 1.0));
  // The reference ran with both switched off.
  store.keep_eval_layers("", "Dropout");
  store.keep_eval_layers("", "DropPath");
  store.train(true);
  for (const Parameter& p : store.all())
    if (p.role == Role::parameter) require_grad(p.value);
  const auto dims = file.json.at("input_shape").get<std::vector<int64_t>>();
  {
    Tape tape;
    const Tensor input = channels_last(hash_image(Shape(std::span<const int64_t>(dims))));
    const Losses losses = model->loss(input.to(precision.dtype), samples);
    check_losses_of_step(file.json, losses, result);
    tape.backward(total_loss(losses));
  }
  check_gradients(file.json.at("grads"), store, {}, precision, result);
  check_buffers(file.json.value("buffers_after", Json::array()), store, precision, result);
}

}  // namespace

void check_training(const File& file, Report& report) {
  check_step(run_training_step, file, report);
}

}  // namespace limber::oracle
