// limber predict CONFIG CHECKPOINT INPUT..., or MODEL.limber INPUT...: key points of people on
// pictures and in videos.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>

#include "data/dataset.h"
#include "data/image.h"
#include "data/video.h"
#include "pose/core/bbox.h"
#include "pose/engine/model.h"
#include "pose/report/overlays.h"
#include "pose/report/pose_page.h"
#include "pose/report/predictions.h"
#include "tensor/write_file.h"
#include "tools/limber/box_file.h"
#include "tools/limber/commands.h"
#include "tools/limber/file_model.h"

namespace limber::tool {
namespace fs = std::filesystem;

namespace {

struct Arguments {
  ConfigArguments config;
  std::string checkpoint, boxes, out_dir = "predictions";
  std::vector<std::string> inputs, bboxes;
  double kpt_thr = 0.3, box_thr = 0.3;
  int batch_size = 16;
  bool no_overlay = false, eager = false;
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

using Boxes = std::vector<BoxFile::Box>;

// The whole picture. image: (H, W, 3).
BoxFile::Box whole(const Tensor& image) {
  return {{0, 0, float(image.size(1)), float(image.size(0))}, 1};
}

// Gathers what is found and writes it.
class Predictor {
 public:
  Predictor(const Arguments& a, DatasetMeta meta)
      : arguments_(a),
        meta_(std::make_shared<DatasetMeta>(std::move(meta))),
        predictions_(*meta_),
        overlays_(*meta_, {.score_threshold = a.kpt_thr}),
        poses_(*meta_) {}
  virtual ~Predictor() = default;
  // Looks at the boxes of a picture (H, W, 3) of this name; without any at all of it.
  virtual void add(const std::string& name, const Tensor& image, int64_t image_id,
                   const Boxes& boxes) = 0;
  // Whether the model looks at whole images and finds the people itself.
  virtual bool bottom_up() const { return false; }
  int64_t instances() const { return instances_; }

  // Writes all files; their names, for people.
  std::string finish() {
    flush();
    const std::string& out = arguments_.out_dir;
    if (!arguments_.no_overlay) overlays_.write(out);
    predictions_.write_coco(out + "/results_coco.json");
    predictions_.write_readable(out + "/predictions.json");
    if (!poses_.empty()) poses_.write(out + "/poses_3d.html");
    return out + "/predictions.json, results_coco.json" +
           (arguments_.no_overlay ? "" : ", *_pose.*") + (poses_.empty() ? "" : ", poses_3d.html");
  }

 protected:
  virtual void flush() {}
  void keep(std::span<const DataSample> samples) {
    predictions_.add(samples);
    for (const DataSample& sample : samples) instances_ += sample.pred_instances.keypoints.size(0);
    if (!arguments_.no_overlay) overlays_.add(samples);
    poses_.add(samples);
  }

  const Arguments& arguments_;
  std::shared_ptr<DatasetMeta> meta_;

 private:
  PredictionFile predictions_;
  Overlays overlays_;
  PosePage poses_;
  int64_t instances_ = 0;
};

// A model built from its config, batch by batch.
class ModelPredictor : public Predictor {
 public:
  ModelPredictor(const Arguments& a, const Config& config)
      : Predictor(a, described_metainfo(test_dataset(config))),
        model_(build_model(config, 0, /*initialise=*/false)),
        pipeline_(test_dataset(config).at("pipeline")),
        bottom_up_(test_dataset(config).get<std::string>("data_mode", "topdown") == "bottomup") {
    load_model(model_, a.checkpoint);
    const Device device = a.config.place();
    model_.to(device);
    if (!a.eager) model_.estimator->use_plans(a.config.precision());
  }
  bool bottom_up() const override { return bottom_up_; }

  void add(const std::string& name, const Tensor& image, int64_t image_id,
           const Boxes& boxes) override {
    Sample sample;
    sample.img = image;  // LoadImage takes what is there
    sample.meta.img_path = name;
    sample.meta.img_id = sample.meta.id = image_id;
    sample.meta.dataset_name = meta_->dataset_name;
    sample.meta.flip_indices = meta_->flip_indices;
    sample.dataset = meta_;
    if (bottom_up_) return add(std::move(sample));
    for (const BoxFile::Box& box : boxes.empty() ? Boxes{whole(sample.img)} : boxes) {
      Sample one = sample;
      one.bbox = Tensor::from(std::span<const float>(box.xyxy), {1, 4});
      one.bbox_score = Tensor::full({1}, box.score);
      one.keypoints = Tensor::zeros({1, meta_->num_keypoints, 2});
      one.keypoints_visible = Tensor::full({1, meta_->num_keypoints}, 1);
      add(std::move(one));
    }
  }

 private:
  void add(Sample sample) {
    Random random(0);
    check_input(pipeline_.apply(sample, random) && sample.packed != nullptr, sample.meta.img_path,
                ": dropped by the test pipeline");
    batch_.push_back(std::move(*sample.packed));
    if (int(batch_.size()) == arguments_.batch_size) flush();
  }

  void flush() override {
    if (batch_.empty()) return;
    model_.predict(batch_);
    keep(batch_);
    batch_.clear();
  }

  Model model_;
  Pipeline pipeline_;
  bool bottom_up_;
  std::vector<DataSample> batch_;
};

// A .limber file.
class FilePredictor : public Predictor {
 public:
  explicit FilePredictor(const Arguments& a, std::unique_ptr<Session> session)
      : Predictor(a, meta_of(session->model())), session_(std::move(session)) {}

  void add(const std::string& name, const Tensor& image, int64_t image_id,
           const Boxes& given) override {
    const Boxes boxes = given.empty() ? Boxes{whole(image)} : given;
    const int64_t N = int64_t(boxes.size());
    const Tensor bboxes = Tensor::empty({N, 4}), scores = Tensor::empty({N});
    for (int64_t n = 0; n < N; ++n) {
      std::ranges::copy(boxes[size_t(n)].xyxy, bboxes.data<float>() + 4 * n);
      scores.data<float>()[n] = boxes[size_t(n)].score;
    }
    DataSample sample;
    sample.meta.img_path = name;
    sample.meta.img_id = sample.meta.id = image_id;
    sample.pred_instances = find_keypoints(*session_, image, bboxes);
    sample.pred_instances.bboxes = bboxes;
    sample.pred_instances.bbox_scores = scores;
    keep({&sample, 1});
  }

 private:
  static DatasetMeta meta_of(const InferenceModel& model) {
    DatasetMeta meta;
    meta.dataset_name = model.name;
    meta.num_keypoints = int(model.keypoints.size());
    meta.keypoint_names = model.keypoints;
    for (int k = 0; k < meta.num_keypoints; ++k) meta.flip_indices.push_back(k);
    meta.keypoint_colors.assign(model.keypoints.size(), {255, 128, 0});
    return meta;
  }

  std::unique_ptr<Session> session_;
};

std::unique_ptr<Predictor> make_predictor(const Arguments& a) {
  if (!is_model_file(a.config.file)) return std::make_unique<ModelPredictor>(a, a.config.load());
  check_input(a.config.amp.empty(), "--amp: a .limber file has the precision it was exported in");
  if (a.config.threads > 0) set_threads(a.config.threads);
  return std::make_unique<FilePredictor>(a, std::make_unique<Session>(a.config.file, threads()));
}

// With a .limber file there is no checkpoint, and its word is the first input.
Arguments arranged(Arguments a) {
  if (is_model_file(a.config.file) && !a.checkpoint.empty())
    a.inputs.insert(a.inputs.begin(), std::exchange(a.checkpoint, ""));
  else if (a.checkpoint.empty())
    throw CLI::RequiredError("checkpoint");
  if (a.inputs.empty()) throw CLI::RequiredError("input");
  return a;
}

// Shows the predictor a picture, or the frames of a video, with the boxes that are asked for.
class Pictures {
 public:
  Pictures(const Arguments& a, Predictor& predictor) : predictor_(predictor), box_thr_(a.box_thr) {
    if (!a.boxes.empty()) boxes_.emplace(a.boxes);
    for (const std::string& text : a.bboxes) asked_.push_back({parse_box(text), 1});
  }

  void add(const std::string& file) {
    if (!is_video(file)) {
      ++id_;
      const Boxes wanted = boxes_of(file);
      if (!boxes_ || !wanted.empty()) show(file, read_image(file), wanted);
      return;
    }
    VideoReader video(file);
    int64_t index = 0;
    while (const std::optional<Tensor> frame = video.next()) {
      ++id_;
      const std::string name = frame_name(file, ++index);
      if (!boxes_)
        show(name, *frame, asked_);
      else if (const Boxes wanted = boxes_->has(name) ? boxes_of(name) : Boxes{}; !wanted.empty())
        show(name, *frame, wanted);
    }
    check_input(index > 0, file, ": no frame could be decoded");
  }
  int64_t count() const { return count_; }

 private:
  Boxes boxes_of(const std::string& name) const {
    if (!boxes_) return asked_;
    Boxes wanted = boxes_->of(name);
    std::erase_if(wanted, [&](const BoxFile::Box& box) { return box.score < box_thr_; });
    return wanted;
  }
  void show(const std::string& name, const Tensor& image, const Boxes& boxes) {
    predictor_.add(name, image, boxes_ ? boxes_->image_id(name, id_) : id_, boxes);
    ++count_;
  }

  Predictor& predictor_;
  double box_thr_;
  std::optional<BoxFile> boxes_;
  Boxes asked_;                 // of every picture
  int64_t id_ = 0, count_ = 0;  // pictures and frames: met, and shown to the model
};

void run(const Arguments& a) {
  check_input(a.boxes.empty() || a.bboxes.empty(), "--boxes and --bbox exclude each other");
  const std::vector<std::string> files = expand_inputs(a.inputs);
  make_folder(a.out_dir);
  const std::unique_ptr<Predictor> predictor = make_predictor(a);
  check_input(!predictor->bottom_up() || (a.boxes.empty() && a.bboxes.empty()),
              "the model finds the people itself and takes neither --boxes nor --bbox");
  Pictures pictures(a, *predictor);
  int64_t bad = 0;
  for (const std::string& file : files) {
    try {
      pictures.add(file);
    } catch (const InputError& e) {
      if (files.size() == 1) throw;
      fmt::print(stderr, "skipped: {}\n", e.what());
      ++bad;
    }
  }
  const std::string written = predictor->finish();
  fmt::print("{} instances on {} pictures -> {}\n", predictor->instances(), pictures.count(),
             written);
  check_input(bad == 0, bad, " of ", files.size(), " files could not be read");
}

}  // namespace

void add_predict(CLI::App& app) {
  CLI::App* command = app.add_subcommand("predict", "find key points on pictures");
  const auto a = std::make_shared<Arguments>();
  a->config.add_file(*command);
  command->add_option("checkpoint", a->checkpoint,
                      "weights (.safetensors, .pth); not with a .limber file");
  command->add_option("input", a->inputs,
                      "JPEG or PNG files, videos, folders of pictures, or .txt lists of paths");
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
  CLI::Option* amp = a->config.add_amp(*command, "backbone and neck in 16 bits (on a GPU)");
  command->add_flag("--eager", a->eager, "run the model op by op, not as a plan")->excludes(amp);
  a->config.add_flags(*command);
  command->callback([a] { run(arranged(*a)); });
}

}  // namespace limber::tool
