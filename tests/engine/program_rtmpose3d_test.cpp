// RTMPose3D as a user runs it: `limber train` on pictures with depth and without, `limber test`,
// `limber predict` with its page.
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "data/image.h"
#include "pose/config/config.h"
#include "tensor/serialize.h"
#include "tensor/write_file.h"
#include "tests/support/tensors.h"
#include "tests/support/tiny_run.h"

namespace limber::test {
namespace {

using Json = nlohmann::json;

constexpr int kPoints = 133, kPictures = 6;

// Pictures of noise and a UBody file of bodies that stand at 4 to 5 metres, seen by its camera.
void write_bodies(const TinyRun& run) {
  make_folder(run.path("bodies"));
  make_folder(run.path("bodies/images"));
  make_folder(run.path("bodies/images/walk"));
  Json file{{"categories", {{{"id", 1}, {"name", "person"}}}}};
  for (int i = 0; i < kPictures; ++i) {
    const std::string name = "walk/" + std::to_string(i) + ".jpg";
    write_image(run.path("bodies/images/" + name),
                uniform({72, 96, 3}, 0, 255, uint64_t(i) + 1).to(DType::u8));
    file["images"].push_back({{"id", i}, {"file_name", name}, {"width", 96}, {"height", 72}});
    Json points = Json::array(), space = Json::array(), valid = Json::array();
    const Tensor places = uniform({kPoints, 3}, -1, 1, uint64_t(i) + 50);
    for (int k = 0; k < kPoints; ++k) {
      const float* u = places.data<float>() + 3 * k;
      const double z = 4.5 + 0.5 * u[2], x = 0.4 * u[0], y = 0.3 * u[1];
      space.push_back({x, y, z});
      points.push_back({x / z * 400 + 48, y / z * 400 + 36});
      valid.push_back(1);
    }
    file["annotations"].push_back(
        {{"id", i},
         {"image_id", i},
         {"category_id", 1},
         {"iscrowd", 0},
         {"area", 4000},
         {"bbox", {4, 4, 92, 68}},
         {"keypoints", points},
         {"keypoints_3d", space},
         {"keypoints_valid", valid},
         {"camera_param", {{"focal", {400, 400}}, {"princpt", {48, 36}}}}});
  }
  run.write("bodies/bodies.json", file.dump());
}

constexpr const char* kCodec = R"({"type": "SimCC3DLabel", "input_size": [32, 32, 32],
    "sigma": 2.0, "normalize": false, "root_index": [11, 12]})";

std::string write_config(const TinyRun& run) {
  Config config = load_config(run.config()).clone();
  const Config preprocessor = config.at("model").at("data_preprocessor");
  std::string parents = "0";
  for (int k = 1; k < kPoints; ++k) parents += ", " + std::to_string(k / 2);
  config.set("codec", Config::parse(kCodec));
  config.set("model", Config::parse(str(R"({"type": "TopdownPoseEstimator3D",
      "backbone": {"type": "CSPNeXt", "deepen_factor": 0.167, "widen_factor": 0.125,
                   "out_indices": [2, 3, 4]},
      "neck": {"type": "CSPNeXtPAFPN", "in_channels": [32, 64, 128], "out_channels": null,
               "out_indices": [1, 2], "num_csp_blocks": 1},
      "head": {"type": "RTMW3DHead", "in_channels": 128, "out_channels": 133,
               "input_size": [32, 32, 32], "in_featuremap_size": [1, 1, 1],
               "gau_cfg": {"hidden_dims": 16, "s": 8},
               "loss": [{"type": "KLDiscretLossWithWeight", "beta": 10.0, "label_softmax": true},
                        {"type": "BoneLoss", "use_target_weight": true, "joint_parents": [)",
                                        parents, "]}], \"decoder\": ", kCodec, "}}")));
  config.set_path("model.data_preprocessor", preprocessor);
  const std::string target = str(R"({"type": "GenerateTarget", "encoder": )", kCodec, "}");
  const auto bodies = [&](const char* mode, const char* pipeline) {
    return str(R"({"type": "UBody3dDataset", "data_root": ")", run.path("bodies/"),
               R"(", "ann_file": "bodies.json", "data_prefix": {"img": "images/"}, "test_mode": )",
               mode, ", \"pipeline\": [", pipeline, "]}");
  };
  std::string flat = "[0, 0]";
  for (int k = 1; k < 17; ++k) flat += str(", [", k, ", ", k, "]");
  config.set_path(
      "train_dataloader.dataset",
      Config::parse(str(
          R"({"type": "CombinedDataset", "metainfo": {"from_file": "configs/_base_/datasets/h3wb.py"},
              "datasets": [)",
          bodies("false", ""),
          R"(, {"type": "CocoDataset", "data_mode": "topdown", "data_root": ")", run.path("data/"),
          R"(", "ann_file": "annotations/train.json", "data_prefix": {"img": "train/"},
              "pipeline": [{"type": "KeypointConverter", "num_keypoints": 133, "mapping": [)",
          flat, R"(]}]}], "pipeline": [{"type": "LoadImage"}, {"type": "GetBBoxCenterScale"},
              {"type": "RandomFlip"}, {"type": "TopdownAffine", "input_size": [32, 32]}, )",
          target, R"(, {"type": "PackPoseInputs"}]})")));
  config.set_path("test_dataloader.dataset",
                  Config::parse(bodies("true", (R"({"type": "LoadImage"},
      {"type": "GetBBoxCenterScale"}, {"type": "TopdownAffine", "input_size": [32, 32]}, )" +
                                                target + R"(, {"type": "PackPoseInputs"})")
                                                   .c_str())));
  config.set("test_evaluator", Config::parse(R"([{"type": "SimpleMPJPE", "mode": "mpjpe"},
                                                 {"type": "SimpleMPJPE", "mode": "p-mpjpe"}])"));
  return run.write("space.json", config.dump());
}

class ProgramRtmpose3d : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    run_ = new TinyRun;
    write_bodies(*run_);
    config_ = write_config(*run_);
    trained_ = run_program({"train", config_, "--work-dir", run_->path("space")});
  }
  static void TearDownTestSuite() { delete run_; }
  // 6 pictures with depth and 18 without, three at a time, three epochs.
  static std::string checkpoint() { return run_->path("space/iter_24.safetensors"); }

  static TinyRun* run_;
  static std::string config_;
  static ProgramResult trained_;
};
TinyRun* ProgramRtmpose3d::run_ = nullptr;
std::string ProgramRtmpose3d::config_;
ProgramResult ProgramRtmpose3d::trained_;

TEST_F(ProgramRtmpose3d, TrainsOnPicturesWithAndWithoutDepth) {
  ASSERT_EQ(trained_.exit_code, 0) << trained_.err;
  const SafetensorsFile weights(checkpoint());
  EXPECT_TRUE(weights.contains("head.cls_z.weight"));
  const std::string log = trained_.out + trained_.err;
  for (const char* name : {"loss_kld", "loss_bone", "mpjpe"})
    EXPECT_NE(log.find(name), std::string::npos) << log;
}

TEST_F(ProgramRtmpose3d, EvaluatesInMetres) {
  ASSERT_EQ(trained_.exit_code, 0) << trained_.err;
  const ProgramResult done =
      run_program({"test", config_, checkpoint(), "--work-dir", run_->path("test"), "--out",
                   run_->path("metrics.json"), "--show-dir", run_->path("shown")});
  ASSERT_EQ(done.exit_code, 0) << done.err;
  const Json metrics = Json::parse(run_->read("metrics.json"));
  for (const char* name : {"MPJPE", "P-MPJPE"}) {
    ASSERT_TRUE(metrics.contains(name)) << metrics;
    EXPECT_GT(double(metrics[name]), 0);
  }
  EXPECT_LT(double(metrics["MPJPE"]), 5) << "the bodies are two metres wide";
  EXPECT_TRUE(std::filesystem::exists(run_->path("shown/0_pose.jpg")));
}

TEST_F(ProgramRtmpose3d, PredictsPointsInSpaceAndOnThePicture) {
  ASSERT_EQ(trained_.exit_code, 0) << trained_.err;
  const auto picture = [](int i) {
    return run_->path("bodies/images/walk/" + std::to_string(i) + ".jpg");
  };
  const ProgramResult done =
      run_program({"predict", config_, checkpoint(), picture(0), picture(1), "--out-dir",
                   run_->path("found"), "--bbox=4,4,88,64", "--bbox=10,4,60,60"});
  ASSERT_EQ(done.exit_code, 0) << done.err;
  EXPECT_NE(done.out.find("4 instances on 2 pictures"), std::string::npos) << done.out;
  EXPECT_NE(done.out.find("poses_3d.html"), std::string::npos) << done.out;
  const Json space = Json::parse(run_->read("found/predictions.json"));
  const Json flat = Json::parse(run_->read("found/results_coco.json"));
  ASSERT_EQ(space["images"].size(), 2u);
  ASSERT_EQ(flat.size(), 4u);
  // x and y in space are those on the picture, seen by the standard camera from the middle of the
  // picture, (height / 2, width / 2), as MMPose has it.
  const Json& points = space["images"][0]["instances"][0]["keypoints"];
  ASSERT_EQ(points.size(), size_t(kPoints));
  size_t k = 0;
  for (const Json& name : space["keypoints"]) {
    const Json& p = points[name.get<std::string>()];
    ASSERT_EQ(p.size(), 4u);
    const double z = p[2], x = flat[0]["keypoints"][3 * k], y = flat[0]["keypoints"][3 * k + 1];
    EXPECT_NEAR(double(p[0]), (x - 36) / 1145.04940459 * z, 1e-3);
    EXPECT_NEAR(double(p[1]), (y - 48) / 1143.78109572 * z, 1e-3);
    const bool found = double(p[3]) > 0;  // else its bins are -1
    EXPECT_GE(z, found ? 5.1438 - 2.1746 : 2.9);
    EXPECT_LE(z, 5.1439 + 2.1745);
    ++k;
  }
  const std::string page = run_->read("found/poses_3d.html");
  EXPECT_NE(page.find("Person 2, 2 pictures"), std::string::npos);
  EXPECT_NE(page.find("limberPoses('person1'"), std::string::npos);
}

}  // namespace
}  // namespace limber::test
