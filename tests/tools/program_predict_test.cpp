// limber predict: a model from its config and the same model as a .limber file find the same.
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "data/image.h"
#include "data/video.h"
#include "tests/support/tiny_run.h"
#include "tests/support/videos.h"

namespace limber::test {
namespace {

using Json = nlohmann::json;

const TinyRun& tiny() {
  static const TinyRun run;
  return run;
}

Json predictions(std::vector<std::string> model, const std::string& out,
                 const std::vector<std::string>& more) {
  model.insert(model.begin(), "predict");
  for (const std::string& word :
       {tiny().path("data/val/000001.jpg"), std::string("--out-dir"), tiny().path(out)})
    model.push_back(word);
  model.insert(model.end(), more.begin(), more.end());
  const ProgramResult done = run_program(model);
  EXPECT_EQ(done.exit_code, 0) << done.err;
  EXPECT_TRUE(std::filesystem::exists(tiny().path(out + "/000001_pose.jpg")));
  return Json::parse(tiny().read(out + "/predictions.json"));
}

TEST(ProgramPredict, ConfigAndFileFindTheSame) {
  ASSERT_EQ(tiny().train("trained").exit_code, 0);
  const std::string still = "model.test_cfg.flip_test=false", file = tiny().path("tiny.limber");
  const ProgramResult exported = run_program(
      {"export", tiny().config(), tiny().last("trained"), "-o", file, "--batch", "1", "2"});
  ASSERT_EQ(exported.exit_code, 0) << exported.err;
  for (const std::vector<std::string>& boxes :
       {std::vector<std::string>{},
        {"--bbox=10,5,60,80", "--bbox=40,20,50,70", "--bbox=0,0,30,30"}}) {
    std::vector<std::string> unflipped = boxes;
    unflipped.insert(unflipped.end(), {"--cfg-options", still});
    const Json model = predictions({tiny().config(), tiny().last("trained")}, "model", unflipped);
    const Json alone = predictions({file}, "file", boxes);
    ASSERT_EQ(model["images"].size(), 1u);
    const Json &a = model["images"][0]["instances"], &b = alone["images"][0]["instances"];
    ASSERT_EQ(a.size(), std::max<size_t>(boxes.size(), 1));
    ASSERT_EQ(b.size(), a.size());
    for (size_t i = 0; i < a.size(); ++i) {
      EXPECT_EQ(a[i]["bbox"], b[i]["bbox"]);
      for (const auto& [name, point] : a[i]["keypoints"].items())
        for (size_t d = 0; d < 3; ++d)
          EXPECT_NEAR(double(point[d]), double(b[i]["keypoints"][name][d]), d < 2 ? 0.05 : 1e-3)
              << name;
    }
  }
}

TEST(ProgramPredict, VideoIsItsFrames) {
  if (!test::can_do_videos()) GTEST_SKIP() << "built without FFmpeg's libraries";
  ASSERT_EQ(tiny().train("trained").exit_code, 0);
  const std::string clip = tiny().path("clip.mp4");
  {
    VideoWriter writer(clip, 10);
    for (int i = 0; i < 5; ++i) writer.add(read_image(tiny().path("data/val/000001.jpg")));
    writer.finish();
  }
  const ProgramResult done =
      run_program({"predict", tiny().config(), tiny().last("trained"), clip, "--out-dir",
                   tiny().path("of_video"), "--bbox=10,5,60,80"});
  ASSERT_EQ(done.exit_code, 0) << done.err;
  const Json found = Json::parse(tiny().read("of_video/predictions.json"));
  ASSERT_EQ(found["images"].size(), 5u);
  EXPECT_EQ(std::string(found["images"][4]["file"]), clip + "#000005");
  EXPECT_EQ(found["images"][4]["instances"].size(), 1u);
  VideoReader drawn(tiny().path("of_video/clip_pose.mp4"));
  int frames = 0;
  while (drawn.next()) ++frames;
  EXPECT_EQ(frames, 5);
}

// The metrics of files with weights of every kind; they crop and decode by themselves.
TEST(ProgramTest, EvaluatesFiles) {
  ASSERT_EQ(tiny().train("evaluated").exit_code, 0);
  const std::string config = tiny().write(
      "evaluated.json", R"({"_base_": "tiny.json", "test_evaluator": {"type": "CocoMetric",
                            "ann_file": ")" +
                            tiny().path("data/annotations/val.json") + "\"}}");
  for (const std::string weights : {"f32", "bf16", "int8"}) {
    const std::string file = tiny().path(weights + ".limber"), out = tiny().path(weights + ".json");
    const ProgramResult exported = run_program({"export", config, tiny().last("evaluated"), "-o",
                                                file, "--weights", weights, "--calibrate", "4"});
    ASSERT_EQ(exported.exit_code, 0) << exported.err;
    const ProgramResult tested =
        run_program({"test", config, file, "--out", out, "--work-dir", tiny().path("test")});
    ASSERT_EQ(tested.exit_code, 0) << tested.err;
    const Json metrics = Json::parse(tiny().read(weights + ".json"));
    ASSERT_TRUE(metrics.contains("coco/AP")) << metrics;
    EXPECT_GE(double(metrics["coco/AP"]), 0);
  }
}

}  // namespace
}  // namespace limber::test
