// limber browse CONFIG: what the data pipeline makes of the data set, as pictures.
#include <fmt/format.h>

#include <filesystem>
#include <memory>

#include "data/image.h"
#include "data/loader.h"
#include "pose/report/draw.h"
#include "tensor/write_file.h"
#include "tools/limber/commands.h"

namespace limber::tool {
namespace {

struct Arguments {
  ConfigArguments config;
  std::string out_dir = "browse", phase = "train", mode = "transformed";
  int count = 50;
  uint64_t seed = 0;
};

// The label's key points where they lie in the input.
Instances in_input_space(const DataSample& sample) {
  Instances moved = sample.gt_instances;
  const SampleMeta& m = sample.meta;
  const auto transformed = moved.more.find("transformed_keypoints");
  if (transformed != moved.more.end()) {
    moved.keypoints = transformed->second.at(0);
  } else if (moved.keypoints.defined() && m.input_size[0] > 0) {
    moved.keypoints = moved.keypoints.clone();
    const int64_t D = moved.keypoints.size(2);
    float* p = moved.keypoints.data<float>();
    for (int64_t i = 0; i < moved.keypoints.numel(); i += D)
      for (size_t d = 0; d < 2; ++d)
        p[i + int64_t(d)] = (p[i + int64_t(d)] - m.input_center[d] + 0.5f * m.input_scale[d]) /
                            m.input_scale[d] * float(m.input_size[d]);
  }
  moved.keypoint_scores = moved.keypoints_visible;
  return moved;
}

void run(const Arguments& a) {
  Config config = a.config.load();
  const Config node = config.at(a.phase + "_dataloader").at("dataset");
  const bool transformed = a.mode == "transformed";
  if (transformed) {
    // PackPoseInputs hands on where the key points went; pixels are not left to a device.
    const Config pipeline = node.find("pipeline");
    for (size_t i = 0; i < (pipeline.is_null() ? 0 : pipeline.size()); ++i) {
      if (pipeline.at(i).type() == "PackPoseInputs")
        pipeline.at(i).set("pack_transformed", Config::value(true));
      if (pipeline.at(i).has("on_device")) pipeline.at(i).set("on_device", Config::value(false));
    }
  }
  const auto dataset = make_dataset(node);
  make_folder(a.out_dir);
  const int64_t count = std::min<int64_t>(a.count, dataset->size());
  for (int64_t i = 0; i < count; ++i) {
    Random random(mix_seed(a.seed, uint64_t(i)));
    const DataSample sample = dataset->get(i, random);
    const Tensor image = transformed ? sample.inputs.clone() : read_image(sample.meta.img_path);
    Instances drawn = transformed ? in_input_space(sample) : sample.gt_instances;
    if (transformed) {
      drawn.bboxes = Tensor();
    } else {
      drawn.keypoint_scores = drawn.keypoints_visible;
    }
    draw_instances(image, drawn, dataset->metainfo(), {.score_threshold = 0.5});
    const std::string stem = std::filesystem::path(sample.meta.img_path).stem();
    write_image(fmt::format("{}/{}_{}.jpg", a.out_dir, stem, i), image);
  }
  fmt::print("{} pictures in {}\n", count, a.out_dir);
}

}  // namespace

void add_browse(CLI::App& app) {
  CLI::App* command = app.add_subcommand("browse", "draw the labels of a data set's samples");
  const auto a = std::make_shared<Arguments>();
  a->config.add_file(*command);
  command->add_option("--out-dir", a->out_dir, "where pictures go")->capture_default_str();
  command->add_option("--phase", a->phase, "which loader")
      ->check(CLI::IsMember({"train", "val", "test"}))
      ->capture_default_str();
  command->add_option("--mode", a->mode, "the file, or what the pipeline makes of it")
      ->check(CLI::IsMember({"original", "transformed"}))
      ->capture_default_str();
  command->add_option("--count", a->count, "pictures at most")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command->add_option("--seed", a->seed, "of the random transforms")->capture_default_str();
  a->config.add_options(*command);
  command->callback([a] { run(*a); });
}

}  // namespace limber::tool
