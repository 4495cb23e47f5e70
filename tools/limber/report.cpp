// limber report CONFIG CHECKPOINT: a page with curves, tables and pictures of how good a model is.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>

#include "data/image.h"
#include "data/warp.h"
#include "pose/engine/evaluate.h"
#include "pose/report/agreement.h"
#include "pose/report/draw.h"
#include "pose/report/html.h"
#include "tensor/write_file.h"
#include "tools/limber/commands.h"

namespace limber::tool {
namespace fs = std::filesystem;

namespace {

struct Arguments {
  ConfigArguments config;
  std::string checkpoint, work_dir, out = "report.html";
  std::vector<std::string> unseen;
  int pictures = 12;
};

// The newest run's scalars, as curves over the step.
std::vector<Curve> read_curves(const std::string& work_dir, const std::vector<std::string>& names) {
  std::string newest;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(work_dir, none)) {
    const std::string file = entry.path() / "vis_data" / "scalars.json";
    // A run's folder begins with a date; a later one may have only tested.
    if (fs::exists(file) && fs::file_size(file) > 0 && file > newest) {
      std::ifstream in(file);
      std::string line;
      if (std::getline(in, line) && line.find("\"lr\"") != std::string::npos) newest = file;
    }
  }
  std::vector<Curve> curves;
  for (const std::string& name : names) curves.push_back({name, {}});
  if (newest.empty()) return curves;
  std::ifstream in(newest);
  for (std::string line; std::getline(in, line);) {
    const Config scalars = Config::parse(line, newest);
    for (Curve& curve : curves)
      if (scalars.has(curve.name))
        curve.points.emplace_back(scalars.get<double>("step"), scalars.get<double>(curve.name));
  }
  return curves;
}

std::vector<Curve> with_points(std::vector<Curve> curves) {
  std::erase_if(curves, [](const Curve& c) { return c.points.size() < 2; });
  return curves;
}

// The part of the picture around a box, with labels (thin, white) and predictions.
Tensor picture_of(const DataSample& sample, const DatasetMeta& meta, bool labels) {
  const Tensor image = read_image(sample.meta.img_path);
  Instances truth = sample.gt_instances;
  if (labels && truth.keypoints.defined()) {
    DatasetMeta white = meta;
    std::ranges::fill(white.skeleton_link_colors, Rgb{255, 255, 255});
    std::ranges::fill(white.keypoint_colors, Rgb{255, 255, 255});
    truth.keypoint_scores = truth.keypoints_visible;
    draw_instances(image, truth, white, {.score_threshold = 0.5, .thickness = 1.2, .boxes = false});
  }
  draw_instances(image, sample.pred_instances, meta,
                 {.score_threshold = 0.2, .thickness = 2, .boxes = false});
  const float* b = sample.pred_instances.bboxes.data<float>();
  const float pad = 0.12f * std::max(b[2] - b[0], b[3] - b[1]);
  const int x0 = std::max(0, int(b[0] - pad)), y0 = std::max(0, int(b[1] - pad));
  const int x1 = std::min(int(image.size(1)), int(b[2] + pad) + 1);
  const int y1 = std::min(int(image.size(0)), int(b[3] + pad) + 1);
  const Tensor part = crop_image(image, x0, y0, {std::max(1, x1 - x0), std::max(1, y1 - y0)});
  const double scale = 220.0 / double(std::max(part.size(0), part.size(1)));
  return resize_image(part, {std::max(1, int(double(part.size(1)) * scale)),
                             std::max(1, int(double(part.size(0)) * scale))});
}

using Pictures = std::vector<std::pair<Tensor, std::string>>;

void add_tables(HtmlPage& page, const Evaluation& result, const AgreementTable& table) {
  page.heading("Metrics");
  std::vector<std::vector<std::string>> rows;
  for (const auto& [name, value] : result.metrics)
    rows.push_back({name, fmt::format("{:.4f}", value)});
  page.table({"metric", "value"}, rows);
  page.heading("Key points");
  page.paragraph(
      "OKS is the mean of exp(-d^2 / (2 (2 sigma)^2 area)); PCK the share nearer than a tenth of "
      "the "
      "box's longer side; the error a median in pixels of the picture.");
  rows.clear();
  for (const KeypointAgreement& k : table.keypoints())
    rows.push_back({k.name, std::to_string(k.labelled), fmt::format("{:.3f}", k.oks),
                    fmt::format("{:.3f}", k.pck), fmt::format("{:.2f}", k.median_error),
                    fmt::format("{:.2f}", k.mean_score)});
  page.table({"key point", "labelled", "OKS", "PCK", "error", "score"}, rows, 2);
}

void run(const Arguments& a) {
  const Config config = a.config.load();
  const std::string stem = fs::path(a.config.file).stem();
  const std::string work_dir =
      !a.work_dir.empty() ? a.work_dir : config.get<std::string>("work_dir", "work_dirs/" + stem);
  Model model = build_model(config, 0, /*initialise=*/false);
  load_model(model, a.checkpoint);
  model.to(a.config.place());
  const auto loader = make_loader(config.at("test_dataloader"), 0);
  const DatasetMeta& meta = loader->dataset().metainfo();
  Evaluator evaluator(config.at("test_evaluator"), meta, metainfo_of_dataset);
  AgreementTable table(meta);
  std::vector<DataSample> samples;
  RunLog log;
  const Evaluation result =
      evaluate(model, *loader, evaluator, log, "Test", [&](std::span<const DataSample> batch) {
        table.add(batch);
        for (DataSample s : batch) {
          s.inputs = Tensor();
          samples.push_back(std::move(s));
        }
      });
  HtmlPage page("limber: " + stem);
  page.paragraph(fmt::format("{} parameters; {} samples in {:.1f} s; weights {}",
                             model.store->count(), result.images, result.seconds, a.checkpoint));
  page.heading("Training");
  page.chart("loss", with_points(read_curves(work_dir, {"loss"})), /*log_scale=*/true);
  page.chart("learning rate", with_points(read_curves(work_dir, {"lr"})));
  page.chart("accuracy while training", with_points(read_curves(work_dir, {"acc_pose"})));
  std::vector<std::string> names;
  for (const auto& [name, value] : result.metrics)
    if (name.ends_with("AP") || name.ends_with("AR")) names.push_back(name);
  page.chart("validation, by epoch", with_points(read_curves(work_dir, names)));
  add_tables(page, result, table);
  const std::vector<InstanceAgreement> worst = table.worst();
  const auto gallery = [&](auto index_of, size_t count) {
    Pictures pictures;
    for (size_t i = 0; i < std::min(count, worst.size()); ++i) {
      const InstanceAgreement& at = worst[index_of(i)];
      pictures.emplace_back(
          picture_of(samples[at.sample], meta, true),
          fmt::format("OKS {:.2f}  {}", at.oks,
                      fs::path(samples[at.sample].meta.img_path).filename().string()));
    }
    page.pictures(pictures);
  };
  const size_t count = size_t(a.pictures);
  page.heading("A sample of the predictions (white: labels)");
  gallery(
      [&](size_t i) {
        return i * worst.size() / std::max<size_t>(1, std::min(count, worst.size()));
      },
      count);
  page.heading("Worst cases");
  gallery([](size_t i) { return i; }, count);
  if (!a.unseen.empty()) {
    page.heading("Pictures without labels");
    Pictures pictures;
    for (const std::string& file : a.unseen)
      pictures.emplace_back(read_image(file), fs::path(file).filename());
    page.pictures(pictures);
  }
  write_file_atomically(a.out, page.text());
  fmt::print("report {}\n", fs::absolute(a.out).lexically_normal().string());
}

}  // namespace

void add_report(CLI::App& app) {
  CLI::App* command = app.add_subcommand(
      "report", "write a self-contained page: curves, key-point table, pictures, worst cases");
  const auto a = std::make_shared<Arguments>();
  a->config.add_file(*command);
  command->add_option("checkpoint", a->checkpoint, "weights (.safetensors, .pth)")->required();
  command->add_option("--work-dir", a->work_dir, "the run whose curves to draw");
  command->add_option("--out", a->out, "the page")->capture_default_str();
  command->add_option("--pictures", a->pictures, "pictures per section")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  command->add_option("--unseen", a->unseen, "further pictures to show, as they are");
  a->config.add_options(*command);
  command->callback([a] { run(*a); });
}

}  // namespace limber::tool
