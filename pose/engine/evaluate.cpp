#include "pose/engine/evaluate.h"

#include <fmt/format.h>

#include <chrono>

namespace limber {
namespace {

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace

Evaluation evaluate(const Model& model, Loader& loader, Evaluator& evaluator, RunLog& log,
                    const std::string& title, const SampleSink& sink) {
  model.store->train(false);
  const auto predict = [&](std::vector<DataSample>& batch) { model.predict(batch); };
  return evaluate(Predict(predict), loader, evaluator, log, title, sink);
}

Evaluation evaluate(const Predict& predict, Loader& loader, Evaluator& evaluator, RunLog& log,
                    const std::string& title, const SampleSink& sink) {
  Evaluation result;
  const double start = now();
  loader.start(0);
  const double waited_before = loader.wait_seconds();
  int64_t done = 0;
  while (std::optional<std::vector<DataSample>> batch = loader.next()) {
    ++done;
    predict(*batch);
    evaluator.process(*batch);
    if (sink) sink(*batch);
    result.images += int64_t(batch->size());
    const double passed = now() - start;
    Progress p;
    p.iteration = done;
    p.iterations = loader.batches();
    p.images_per_second = double(result.images) / passed;
    p.data_seconds = (loader.wait_seconds() - waited_before) / double(done);
    p.eta_seconds = passed / double(done) * double(loader.batches() - done);
    log.progress(p, {});
  }
  result.metrics = evaluator.compute();
  result.seconds = now() - start;
  result.data_seconds = loader.wait_seconds() - waited_before;
  std::string line = title;
  for (const auto& [name, value] : result.metrics) line += fmt::format("  {}: {:.4f}", name, value);
  line += fmt::format("  ({} samples, {:.1f} s, {:.0f} a second)", result.images, result.seconds,
                      double(result.images) / std::max(result.seconds, 1e-9));
  log.info(line);
  for (const auto& [part, values] : evaluator.details()) {
    std::string detail = "  " + part;
    for (const auto& [name, value] : values) detail += fmt::format("  {}: {:.4f}", name, value);
    log.info(detail);
  }
  return result;
}

DatasetMeta metainfo_of_dataset(const Config& dataset) { return make_dataset(dataset)->metainfo(); }

}  // namespace limber
