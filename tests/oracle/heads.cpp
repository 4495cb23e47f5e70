// heads/: heads alone on hashfill features: losses, gradients, predictions.
#include "autograd/autograd.h"
#include "tensor/op.h"
#include "tests/oracle/networks.h"

namespace limber::oracle {
namespace {

// A lone "feat" is a transformer's and as it is, (N, T, K, C). Maps "feat/0", ... are channels last
// here, those of sequences (N, C, T) become (N, 1, T, C).
Tensor feature(const Json& f, const std::string& name, DType dtype) {
  const auto dims = f.at("shape").get<std::vector<int64_t>>();
  Array a = hashv(name, Shape(std::span<const int64_t>(dims)));
  const double scale = f.value("scale", 1.0);
  for (double& v : a.values) v = double(float(scale * v));
  if (name == "feat" || name == "feat_flip") return to_tensor(a).to(dtype);
  if (a.shape.rank() == 3) a.shape = a.shape.inserted(2, 1);
  return (a.shape.rank() == 4 ? channels_last(a) : to_tensor(a)).to(dtype);
}

// pred/<sample>/<field>
Tensor predicted(const std::vector<Prediction>& predictions, const std::string& name) {
  const size_t second = name.find('/', 5);
  const size_t index = std::stoul(name.substr(5, second - 5));
  const std::string field = name.substr(second + 1);
  const Instances& p = predictions.at(index).instances;
  if (field == "keypoints") return p.keypoints;
  if (field == "keypoint_scores") return p.keypoint_scores;
  if (field == "keypoints_visible") return p.keypoints_visible;
  if (field == "bboxes") return p.bboxes;
  if (field == "bbox_scores" || field == "scores") return p.bbox_scores;
  const auto it = p.more.find(field);
  return it == p.more.end() ? Tensor() : it->second.at(0);
}

void check_predictions(const File& file, const Head& head, ConstBatch samples, DType dtype,
                       Case& result) {
  const Json& feats = file.json.at("feats");
  for (const Json& run : file.json.value("predicts", Json::array())) {
    Features features, flipped;
    for (const Json& f : feats) {
      const std::string name = f.at("hashfill");
      features.push_back(feature(f, name, dtype));
      flipped.push_back(feature(f, "feat_flip" + name.substr(4), dtype));
    }
    const TestOptions test = read_test_options(to_config(run.at("test_cfg"), "test_cfg"));
    const auto predictions =
        head.predict(features, test.flip_test ? &flipped : nullptr, samples, test);
    for (const Json& record : run.at("outputs")) {
      const Tensor got = predicted(predictions, record.at("name"));
      const std::string what =
          run.at("name").get<std::string>() + " " + record.at("name").get<std::string>();
      if (!got.defined()) {
        result.expect(false, what + " missing");
      } else {
        result.compare(record, to_array(got), {.of_std = 2e-4, .absolute = 1e-2});
      }
    }
  }
}

void run_head(const File& file, const Precision& precision, Case& result) {
  ParameterStore store(0, /*initialise=*/false, precision.dtype);
  const auto head = make_head(to_config(file.json.at("head"), "head"), Scope(store) / "head");
  head->train = read_train_options(to_config(file.json.value("train_cfg", Json()), "train_cfg"));
  const std::vector<DataSample> samples = encode_samples(file, precision.dtype, result);
  check_parameters(store, file.json.at("params"), result);
  if (!result.faults().empty()) return;
  fill(store, file.json.value("gain", 1.0));
  check_predictions(file, *head, samples, precision.dtype, result);
  if (!file.json.contains("losses") || file.json.at("losses").empty()) return;
  // The reference ran with both switched off.
  store.keep_eval_layers("", "Dropout");
  store.keep_eval_layers("", "DropPath");
  store.train(true);
  for (const Parameter& p : store.all())
    if (p.role == Role::parameter) require_grad(p.value);
  Features features;
  std::vector<std::pair<std::string, Tensor>> inputs;
  for (const Json& f : file.json.at("feats")) {
    features.push_back(feature(f, f.at("hashfill"), precision.dtype));
    require_grad(features.back());
    inputs.emplace_back(f.at("hashfill"), features.back());
  }
  {
    Tape tape;
    const Losses losses = head->loss(features, samples);
    check_losses_of_step(file.json, losses, result);
    tape.backward(total_loss(losses));
  }
  const bool tokens = inputs.size() == 1 && inputs[0].first == "feat";
  check_gradients(file.json.at("grads"), store, inputs, precision, result, tokens);
  check_buffers(file.json.value("buffers_after_loss", Json::array()), store, precision, result);
}

}  // namespace

void check_heads(const File& file, Report& report) { check_step(run_head, file, report); }

}  // namespace limber::oracle
