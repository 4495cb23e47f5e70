// limber test CONFIG CHECKPOINT, or CONFIG MODEL.limber: the test metrics of a trained model.
#include <filesystem>
#include <memory>

#include "data/image.h"
#include "pose/engine/evaluate.h"
#include "pose/report/overlays.h"
#include "pose/report/predictions.h"
#include "tensor/write_file.h"
#include "tools/limber/commands.h"
#include "tools/limber/file_model.h"

namespace limber::tool {
namespace {

struct Arguments {
  ConfigArguments config;
  std::string checkpoint, work_dir, out, dump, show_dir;
  double kpt_thr = 0.3;
  bool eager = false;
};

// The samples' boxes on their pictures: the file crops and decodes, and flips nothing.
Predict predict_by_file(const Arguments& a) {
  check_input(!a.config.place().is_cuda(), "--device: .limber files run on the CPU");
  check_input(a.config.amp.empty(), "--amp: a .limber file has the precision it was exported in");
  const auto session = std::make_shared<Session>(a.checkpoint, threads());
  return [session](std::vector<DataSample>& batch) {
    for (DataSample& sample : batch) {
      const Instances& boxes = sample.gt_instances;
      sample.pred_instances =
          find_keypoints(*session, read_image(sample.meta.img_path), boxes.bboxes);
      sample.pred_instances.bboxes = boxes.bboxes;
      sample.pred_instances.bbox_scores = boxes.bbox_scores;
    }
  };
}

Predict predict_by_model(const Arguments& a, const Config& config) {
  const auto model = std::make_shared<Model>(build_model(config, 0, /*initialise=*/false));
  load_model(*model, a.checkpoint);
  model->to(a.config.place());
  if (!a.eager) model->estimator->use_plans(a.config.precision());
  return [model](std::vector<DataSample>& batch) { model->predict(batch); };
}

void run(const Arguments& a) {
  const Config config = a.config.load();
  const std::string stem = std::filesystem::path(a.config.file).stem();
  const std::string work_dir =
      !a.work_dir.empty() ? a.work_dir : config.get<std::string>("work_dir", "work_dirs/" + stem);
  const Predict predict =
      is_model_file(a.checkpoint) ? predict_by_file(a) : predict_by_model(a, config);
  const auto loader = make_loader(config.at("test_dataloader"), 0);
  Evaluator evaluator(config.at("test_evaluator"), loader->dataset().metainfo(),
                      metainfo_of_dataset);
  RunLog log(work_dir);
  PredictionFile predictions(loader->dataset().metainfo());
  Overlays overlays(loader->dataset().metainfo(), {.score_threshold = a.kpt_thr});
  const Evaluation result =
      evaluate(predict, *loader, evaluator, log, "Test", [&](std::span<const DataSample> batch) {
        if (!a.dump.empty()) predictions.add(batch);
        if (!a.show_dir.empty()) overlays.add(batch);
      });
  log.scalars(Scalars(result.metrics.begin(), result.metrics.end()), 0);
  if (!a.out.empty()) write_file_atomically(a.out, metrics_as_json(result.metrics));
  if (!a.dump.empty()) predictions.write_readable(a.dump);
  if (!a.show_dir.empty()) overlays.write(a.show_dir);
}

}  // namespace

std::string metrics_as_json(const MetricValues& metrics) {
  Config json = Config::object();
  for (const auto& [name, value] : metrics) json.set(name, Config::value(value));
  return json.dump() + "\n";
}

void add_test(CLI::App& app) {
  CLI::App* command = app.add_subcommand("test", "evaluate a trained model");
  const auto a = std::make_shared<Arguments>();
  a->config.add_file(*command);
  command
      ->add_option("checkpoint", a->checkpoint, "weights (.safetensors, .pth), or a .limber file")
      ->required();
  command->add_option("--work-dir", a->work_dir, "where logs go");
  command->add_option("--out", a->out, "write the metrics to this JSON file");
  command->add_option("--dump", a->dump, "write all predictions to this JSON file");
  command->add_option("--show-dir", a->show_dir, "draw the predictions and write them there");
  command->add_option("--kpt-thr", a->kpt_thr, "least score of a key point that is drawn")
      ->capture_default_str();
  CLI::Option* amp = a->config.add_amp(*command, "backbone and neck in 16 bits (on a GPU)");
  command->add_flag("--eager", a->eager, "run the model op by op, not as a plan")->excludes(amp);
  a->config.add_options(*command);
  command->callback([a] { run(*a); });
}

}  // namespace limber::tool
