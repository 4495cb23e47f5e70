// limber predict CONFIG CHECKPOINT INPUT...: key points of people on pictures.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>

#include "data/image.h"
#include "pose/core/bbox.h"
#include "pose/engine/evaluate.h"
#include "pose/report/overlays.h"
#include "pose/report/predictions.h"
#include "tools/limber/box_file.h"
#include "tools/limber/commands.h"

namespace limber::tool {
namespace fs = std::filesystem;

namespace {

struct Arguments {
  ConfigArguments config;
  std::string checkpoint, boxes, out_dir = "predictions";
  std::vector<std::string> inputs, bboxes;
  double kpt_thr = 0.3, box_thr = 0.3;
  int batch_size = 16;
  bool no_overlay = false;
};

bool is_image(const fs::path& path) {
  std::string ending = path.extension();
  std::ranges::transform(ending, ending.begin(), [](unsigned char c) { return std::tolower(c); });
  return ending == ".jpg" || ending == ".jpeg" || ending == ".png";
}

// Files, folders of images, and lists (.txt, a path per line), in order.
std::vector<std::string> expand_inputs(const std::vector<std::string>& inputs) {
  std::vector<std::string> files;
  for (const std::string& input : inputs) {
    check_input(fs::exists(input), input, ": no such file or folder");
    if (fs::is_directory(input)) {
      std::vector<std::string> found;
      for (const auto& entry : fs::directory_iterator(input))
        if (is_image(entry.path())) found.push_back(entry.path());
      check_input(!found.empty(), input, ": no JPEG or PNG file in this folder");
      std::ranges::sort(found);
      files.insert(files.end(), found.begin(), found.end());
    } else if (fs::path(input).extension() == ".txt") {
      std::ifstream list(input);
      for (std::string line; std::getline(list, line);)
        if (!line.empty()) files.push_back(line);
    } else {
      files.push_back(input);
    }
  }
  return files;
}

// "x,y,w,h" -> x1, y1, x2, y2.
std::array<float, 4> parse_box(const std::string& text) {
  std::array<double, 4> b{};
  char rest = 0;
  check_input(
      std::sscanf(text.c_str(), "%lf,%lf,%lf,%lf%c", &b[0], &b[1], &b[2], &b[3], &rest) == 4,
      "--bbox ", text, ": x,y,w,h expected");
  check_input(is_sane_box(b), "--bbox ", text, ": absurd box");
  check_input(b[2] > 0 && b[3] > 0, "--bbox ", text, ": no positive width and height");
  return {float(b[0]), float(b[1]), float(b[0] + b[2]), float(b[1] + b[3])};
}

// What to look at: an image and, for top-down models, a box on it.
struct Job {
  std::string file;
  int64_t image_id = -1;
  std::array<float, 4> box{};
  float score = 1;
};

class Predictor {
 public:
  Predictor(const Arguments& a, const Config& config)
      : arguments_(a),
        model_(build_model(config, 0, /*initialise=*/false)),
        pipeline_(test_dataset(config).at("pipeline")),
        bottom_up_(test_dataset(config).get<std::string>("data_mode", "topdown") == "bottomup"),
        meta_(std::make_shared<DatasetMeta>(metainfo_of_config(config))),
        predictions_(*meta_),
        overlays_(*meta_, {.score_threshold = a.kpt_thr}) {
    load_model(model_, a.checkpoint);
    model_.to(a.config.place());
  }

  // Whether the model looks at whole images and finds the people itself.
  bool bottom_up() const { return bottom_up_; }
  int64_t instances() const { return instances_; }

  void add(const Job& job) {
    Sample sample;
    sample.meta.img_path = job.file;
    sample.meta.img_id = sample.meta.id = job.image_id;
    sample.meta.dataset_name = meta_->dataset_name;
    sample.meta.flip_indices = meta_->flip_indices;
    sample.dataset = meta_;
    if (!bottom_up_) set_box(sample, job);
    Random random(0);
    check_input(pipeline_.apply(sample, random) && sample.packed != nullptr, job.file,
                ": dropped by the test pipeline");
    batch_.push_back(std::move(*sample.packed));
    if (int(batch_.size()) == arguments_.batch_size) flush();
  }

  void finish() {
    flush();
    const std::string& out = arguments_.out_dir;
    if (!arguments_.no_overlay) overlays_.write(out);
    predictions_.write_coco(out + "/results_coco.json");
    predictions_.write_readable(out + "/predictions.json");
  }

 private:
  static Config test_dataset(const Config& config) {
    Config dataset = config.at("test_dataloader").at("dataset");
    while (!dataset.has("pipeline") && dataset.has("dataset")) dataset = dataset.at("dataset");
    return dataset;
  }
  static DatasetMeta metainfo_of_config(const Config& config) {
    return metainfo_of_dataset(test_dataset(config));
  }

  void set_box(Sample& sample, const Job& job) const {
    sample.bbox = Tensor::from(std::vector<float>(job.box.begin(), job.box.end()), {1, 4});
    sample.bbox_score = Tensor::full({1}, job.score);
    const int64_t K = meta_->num_keypoints;
    sample.keypoints = Tensor::zeros({1, K, 2});
    sample.keypoints_visible = Tensor::full({1, K}, 1);
  }

  void flush() {
    if (batch_.empty()) return;
    model_.predict(batch_);
    predictions_.add(batch_);
    for (const DataSample& sample : batch_) instances_ += sample.pred_instances.keypoints.size(0);
    if (!arguments_.no_overlay) overlays_.add(batch_);
    batch_.clear();
  }

  const Arguments& arguments_;
  Model model_;
  Pipeline pipeline_;
  bool bottom_up_;
  int64_t instances_ = 0;
  std::shared_ptr<DatasetMeta> meta_;
  PredictionFile predictions_;
  Overlays overlays_;
  std::vector<DataSample> batch_;
};

void run(const Arguments& a) {
  check_input(a.boxes.empty() || a.bboxes.empty(), "--boxes and --bbox exclude each other");
  const Config config = a.config.load();
  const std::vector<std::string> files = expand_inputs(a.inputs);
  std::error_code error;
  fs::create_directories(a.out_dir, error);
  check_input(!error, a.out_dir, ": cannot create the folder: ", error.message());
  Predictor predictor(a, config);
  std::optional<BoxFile> boxes;
  if (!a.boxes.empty()) boxes.emplace(a.boxes);
  check_input(!predictor.bottom_up() || (a.boxes.empty() && a.bboxes.empty()),
              "the model finds the people itself and takes neither --boxes nor --bbox");
  int64_t id = 0, bad = 0;
  for (const std::string& file : files) {
    ++id;
    try {
      std::vector<Job> jobs;
      if (boxes) {
        for (const BoxFile::Box& box : boxes->of(file))
          if (box.score >= a.box_thr)
            jobs.push_back({file, boxes->image_id(file, id), box.xyxy, box.score});
      } else if (!a.bboxes.empty()) {
        for (const std::string& text : a.bboxes) jobs.push_back({file, id, parse_box(text), 1});
      } else if (predictor.bottom_up()) {
        jobs.push_back({file, id});
      } else {
        const Tensor image = read_image(file);
        jobs.push_back({file, id, {0, 0, float(image.size(1)), float(image.size(0))}, 1});
      }
      for (const Job& job : jobs) predictor.add(job);
    } catch (const InputError& e) {
      if (files.size() == 1) throw;
      fmt::print(stderr, "skipped: {}\n", e.what());
      ++bad;
    }
  }
  predictor.finish();
  fmt::print("{} instances on {} pictures -> {}/predictions.json, results_coco.json{}\n",
             predictor.instances(), files.size() - size_t(bad), a.out_dir,
             a.no_overlay ? "" : ", *_pose.jpg");
  check_input(bad == 0, bad, " of ", files.size(), " pictures could not be read");
}

}  // namespace

void add_predict(CLI::App& app) {
  CLI::App* command = app.add_subcommand("predict", "find key points on pictures");
  const auto a = std::make_shared<Arguments>();
  a->config.add_file(*command);
  command->add_option("checkpoint", a->checkpoint, "weights (.safetensors, .pth)")->required();
  command->add_option("input", a->inputs, "JPEG or PNG files, folders, or .txt lists of paths")
      ->required();
  command->add_option("--boxes", a->boxes,
                      "boxes: COCO annotations, or a list of {image_id or file_name, bbox, score}");
  command->add_option("--bbox", a->bboxes, "a box x,y,w,h for every picture; may be repeated")
      ->allow_extra_args(false);
  command->add_option("--box-thr", a->box_thr, "least score of a box")->capture_default_str();
  command->add_option("--kpt-thr", a->kpt_thr, "least score of a key point that is drawn")
      ->capture_default_str();
  command->add_option("--out-dir", a->out_dir, "where results go")->capture_default_str();
  command->add_option("--batch-size", a->batch_size, "instances at a time")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command->add_flag("--no-overlay", a->no_overlay, "write the JSON files alone");
  command->add_option("--cfg-options", a->config.options,
                      "overrides of config values: key.path=value ...");
  command->add_option("--device", a->config.device, "where to compute")->capture_default_str();
  command->add_option("--threads", a->config.threads, "threads to use (default: all cores)")
      ->check(CLI::PositiveNumber);
  command->callback([a] { run(*a); });
}

}  // namespace limber::tool
