// Whatever is wrong with its input, the program says so in one error that names the file or key,
// and ends with the exit code of its kind.
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/support/tiny_run.h"

namespace limber::test {
namespace {

const TinyRun& tiny() {
  static const TinyRun run;
  return run;
}

const std::string& trained() {
  static const std::string checkpoint = [] {
    const ProgramResult done = tiny().train("trained");
    EXPECT_EQ(done.exit_code, 0) << done.err;
    return tiny().last("trained");
  }();
  return checkpoint;
}

size_t count(const std::string& text, const std::string& part) {
  size_t n = 0;
  for (size_t at = 0; (at = text.find(part, at)) != std::string::npos; at += part.size()) ++n;
  return n;
}

void expect_error(const ProgramResult& result, int code, const std::vector<std::string>& parts) {
  EXPECT_EQ(result.signal, 0);
  EXPECT_EQ(result.exit_code, code) << result.err;
  EXPECT_EQ(count("\n" + result.err, "\nlimber: "), size_t(1)) << result.err;
  for (const std::string& part : parts)
    EXPECT_NE(result.err.find(part), std::string::npos) << "no " << part << " in: " << result.err;
}

// Training on the annotations with the first `from` replaced.
ProgramResult with_annotations(const std::string& name, const std::string& from,
                               const std::string& to) {
  std::string text = tiny().read("data/annotations/train.json");
  const size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  if (at != std::string::npos) text.replace(at, from.size(), to);
  tiny().write("data/annotations/" + name, text);
  return tiny().train("bad", {"train_dataloader.dataset.ann_file=annotations/" + name});
}

TEST(ProgramBadInput, Usage) {
  EXPECT_EQ(run_program({"train"}).exit_code, 2);
  EXPECT_EQ(run_program({"train", tiny().config(), "--nonsense"}).exit_code, 2);
  EXPECT_EQ(run_program({"nonsense"}).exit_code, 2);
}

TEST(ProgramBadInput, Config) {
  expect_error(run_program({"train", tiny().path("none.json")}), 3, {"none.json"});
  const std::string broken = tiny().write("broken.json", "{\"model\": ");
  expect_error(run_program({"train", broken}), 3, {"broken.json", "line 1"});
  expect_error(tiny().train("bad", {"model.backbone.detph=18"}), 3,
               {"model.backbone.detph", "did you mean \"depth\""});
  expect_error(tiny().train("bad", {"model.backbone.type=CSPNeXtt"}), 3,
               {"model.backbone.type", "did you mean \"CSPNeXt\""});
}

TEST(ProgramBadInput, Annotations) {
  expect_error(tiny().train("bad", {"train_dataloader.dataset.ann_file=annotations/none.json"}), 3,
               {"annotations/none.json"});
  tiny().write("data/annotations/cut.json",
               tiny().read("data/annotations/train.json").substr(0, 1000));
  expect_error(tiny().train("bad", {"train_dataloader.dataset.ann_file=annotations/cut.json"}), 3,
               {"annotations/cut.json", "broken JSON"});
  expect_error(with_annotations("category.json", "\"category_id\":1", "\"category_id\":7"), 3,
               {"category.json", "category 7"});
  expect_error(with_annotations("count.json", "\"keypoints\":[", "\"keypoints\":[1,2,2,"), 3,
               {"count.json", "18 key points"});
  expect_error(with_annotations("box.json", "\"bbox\":[", "\"bbox\":[1,"), 3, {"box.json", "bbox"});
  expect_error(with_annotations("absurd.json", "\"bbox\":[", "\"bbox\":[-1e9,5,1e12,3],\"old\":["),
               3, {"absurd.json", "absurd bbox"});
}

TEST(ProgramBadInput, DamagedPictures) {
  for (int i = 1; i <= 18; ++i) {
    const std::string name = (i < 10 ? "00000" : "0000") + std::to_string(i) + ".jpg";
    const std::string whole = tiny().read("data/train/" + name);
    tiny().write("data/one/" + name, i == 3 ? whole.substr(0, 300) : whole);
    tiny().write("data/all/" + name, whole.substr(0, 300));
  }
  const ProgramResult one = tiny().train("one", {"train_dataloader.dataset.data_prefix.img=one/"});
  EXPECT_EQ(one.exit_code, 0) << one.err;
  EXPECT_EQ(count(one.err, "000003.jpg"), size_t(1)) << one.err;
  expect_error(tiny().train("bad", {"train_dataloader.dataset.data_prefix.img=all/"}), 3,
               {"no usable sample", "/all/"});
}

TEST(ProgramBadInput, LossThatIsNotFinite) {
  expect_error(tiny().train("nan", {"optim_wrapper.optimizer.lr=1e30"}), 1,
               {"loss is not finite", "iteration"});
}

TEST(ProgramBadInput, FullDiskIsOneErrorAndLeavesNoRemnant) {
  const ProgramResult full = tiny().train("full", {}, {.file_bytes = 200000});
  expect_error(full, full.exit_code, {"iter_3.safetensors"});
  EXPECT_NE(full.exit_code, 0);
  for (const auto& file : std::filesystem::directory_iterator(tiny().path("full")))
    EXPECT_EQ(file.path().filename().string().find("iter_"), std::string::npos)
        << file.path() << " is a remnant";
}

TEST(ProgramBadInput, FullDiskKeepsTheCheckpointItWouldReplace) {
  const std::string name = "trained/iter_18.safetensors";
  ASSERT_EQ(tiny().path(name), trained());
  const std::string before = tiny().read(name), last = tiny().read("trained/last_checkpoint");
  const ProgramResult full = tiny().train(
      "trained", {"--resume", tiny().path("trained/iter_15.safetensors")}, {.file_bytes = 200000});
  expect_error(full, full.exit_code, {"iter_18.safetensors"});
  EXPECT_NE(full.exit_code, 0);
  EXPECT_TRUE(tiny().read(name) == before) << "the checkpoint changed";
  EXPECT_EQ(tiny().read("trained/last_checkpoint"), last);
}

TEST(ProgramBadInput, WorkDirBelowAFile) {
  tiny().write("file", "");
  expect_error(tiny().train("file/work"), 3, {"file/work"});
}

TEST(ProgramBadInput, Checkpoints) {
  for (const std::string& way : {std::string("--resume"), std::string("load_from=")}) {
    const auto with = [&](const std::string& file, std::vector<std::string> more) {
      if (way == "--resume")
        more.insert(more.end(), {way, file});
      else
        more.push_back(way + file);
      return tiny().train("bad", more);
    };
    expect_error(with(trained(), {"model.backbone.depth=34"}), 3,
                 {"iter_18.safetensors", "does not fit the model"});
    const std::string garbage = tiny().write("garbage.safetensors", std::string(5000, '\xa7'));
    expect_error(with(garbage, {}), 3, {"garbage.safetensors", "not a safetensors file"});
    expect_error(with(tiny().path("none.safetensors"), {}), 3, {"none.safetensors"});
  }
  expect_error(tiny().train("fresh", {"--resume"}), 3, {"last_checkpoint"});
}

TEST(ProgramBadInput, Predict) {
  const std::string picture = tiny().path("data/val/000001.jpg");
  const auto predict = [&](const std::string& file, const std::vector<std::string>& more = {}) {
    std::vector<std::string> words{"predict", tiny().config(), trained(),
                                   file,      "--out-dir",     tiny().path("predictions")};
    words.insert(words.end(), more.begin(), more.end());
    return run_program(words);
  };
  EXPECT_EQ(predict(picture).exit_code, 0);
  expect_error(predict(tiny().path("none.jpg")), 3, {"none.jpg"});
  expect_error(predict(tiny().write("text.jpg", "hello")), 3, {"text.jpg"});
  for (const char* box : {"1,2,3", "a,b,c,d", "1,2,-3,4", "0,0,0,0"})
    expect_error(predict(picture, {std::string("--bbox=") + box}), 3, {"--bbox", box});
  for (const char* box : {"nan,0,1,1", "1e300,1e300,1e300,1e300"})
    expect_error(predict(picture, {std::string("--bbox=") + box}), 3,
                 {"--bbox", box, "absurd box"});
}

}  // namespace
}  // namespace limber::test
