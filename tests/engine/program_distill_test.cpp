// Distillation as a user runs it: a teacher is trained, then `limber train` with a config of
// MMPose's form that names its config and checkpoint.
#include <gtest/gtest.h>

#include <cstring>

#include "pose/config/config.h"
#include "tensor/serialize.h"
#include "tests/support/tiny_run.h"

namespace limber::test {
namespace {

constexpr const char* kCodec =
    R"({"type": "SimCCLabel", "input_size": [32, 32], "sigma": 2.0, "normalize": false})";

// The tiny run's config with another model and its labels.
std::string write_config(const TinyRun& run, const std::string& name, const std::string& model) {
  const Config config = load_config(run.config()).clone();
  Config changed = config;
  changed.set("codec", Config::parse(kCodec));
  changed.set_path("train_dataloader.dataset.pipeline.5.encoder", Config::parse(kCodec));
  Config node = Config::parse(model);
  if (node.find("data_preprocessor").is_null())
    node.set("data_preprocessor", config.at("model").at("data_preprocessor"));
  changed.set("model", node);
  changed.erase("custom_hooks");  // averaging rounds even what stands still
  return run.write(name, changed.dump());
}

std::string pose_model(const char* widen, int channels) {
  return std::string(R"({"type": "TopdownPoseEstimator", "backbone": {"type": "CSPNeXt",
      "deepen_factor": 0.167, "widen_factor": )") +
         widen + R"(, "out_indices": [4]}, "head": {"type": "RTMCCHead", "in_channels": )" +
         std::to_string(channels) + R"(, "out_channels": 17, "input_size": [32, 32],
      "in_featuremap_size": [1, 1], "gau_cfg": {"hidden_dims": 16, "s": 8},
      "loss": {"type": "KLDiscretLoss", "use_target_weight": true, "beta": 10.0,
               "label_softmax": true},
      "decoder": )" +
         kCodec + R"(}, "test_cfg": {"flip_test": true}})";
}

TEST(ProgramTrain, DistillsFromATrainedTeacher) {
  const TinyRun run;
  const std::string teacher = write_config(run, "teacher.json", pose_model("0.125", 128));
  const std::string student = write_config(run, "student.json", pose_model("0.0625", 64));
  const ProgramResult taught = run_program({"train", teacher, "--work-dir", run.path("teacher")});
  ASSERT_EQ(taught.exit_code, 0) << taught.err;
  const std::string distiller = write_config(
      run, "distil.json",
      str(R"({"type": "DWPoseDistiller", "two_dis": false, "teacher_pretrained": ")",
          run.last("teacher"), R"(", "teacher_cfg": ")", teacher, R"(", "student_cfg": ")", student,
          R"(", "distill_cfg": [
            {"methods": [{"type": "FeaLoss", "name": "loss_fea", "use_this": true,
                          "student_channels": 64, "teacher_channels": 128, "alpha_fea": 7e-05}]},
            {"methods": [{"type": "KDLoss", "name": "loss_logit", "use_this": true,
                          "weight": 0.1}]}]})"));
  const ProgramResult done = run_program({"train", distiller, "--work-dir", run.path("distil")});
  ASSERT_EQ(done.exit_code, 0) << done.err;
  EXPECT_NE(done.out.find("loss_logit"), std::string::npos) << done.out;
  // The teacher inside is the trained one, to the bit.
  const SafetensorsFile before(run.last("teacher")), after(run.last("distil"));
  int compared = 0;
  for (const auto& entry : after.entries()) {
    if (!entry.name.starts_with("teacher.")) continue;
    const Tensor now = after.read(entry), then = before.read(entry.name.substr(8));
    ASSERT_EQ(now.bytes(), then.bytes()) << entry.name;
    EXPECT_EQ(std::memcmp(now.raw(), then.raw(), now.bytes()), 0) << entry.name;
    ++compared;
  }
  EXPECT_GT(compared, 50);
  EXPECT_TRUE(after.contains("student.head.gau.uv.weight"));
  EXPECT_TRUE(after.contains("distill_losses.loss_fea.align.weight"));
}

}  // namespace
}  // namespace limber::test
