// limber eval: the numbers of a results file, and what it says of files that are none.
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/support/program.h"
#include "tests/support/temp_folder.h"

namespace limber::test {
namespace {

using Json = nlohmann::json;

// Seventeen points on a diagonal, moved to the right by `shift`.
Json points(double shift, double last) {
  Json list = Json::array();
  for (int k = 0; k < 17; ++k) {
    list.push_back(10 + 5 * k + shift);
    list.push_back(10 + 5 * k);
    list.push_back(last);
  }
  return list;
}

// Two images with a person each: 80 x 80 pixels around the points.
Json annotations() {
  Json truth = {{"images", Json::array()},
                {"categories", {{{"id", 1}, {"name", "person"}}}},
                {"annotations", Json::array()}};
  for (int i = 1; i <= 2; ++i) {
    truth["images"].push_back({{"id", i}, {"width", 200}, {"height", 200}});
    truth["annotations"].push_back({{"id", i},
                                    {"image_id", i},
                                    {"category_id", 1},
                                    {"iscrowd", 0},
                                    {"area", 6400},
                                    {"num_keypoints", 17},
                                    {"bbox", {10, 10, 80, 80}},
                                    {"keypoints", points(0, 2)}});
  }
  return truth;
}

class ProgramEval : public testing::Test {
 protected:
  ProgramResult eval(const Json& results, std::vector<std::string> more = {}) {
    std::vector<std::string> words{"eval", folder_.write("truth.json", annotations().dump()),
                                   folder_.write("results.json", results.dump())};
    words.insert(words.end(), more.begin(), more.end());
    return run_program(words);
  }
  TempFolder folder_;
};

TEST_F(ProgramEval, OneOfTwoFound) {
  // The second person's points are off by more than its size.
  const Json results = {
      {{"image_id", 1}, {"category_id", 1}, {"score", 0.9}, {"keypoints", points(0, 1)}},
      {{"image_id", 2}, {"category_id", 1}, {"score", 0.8}, {"keypoints", points(90, 1)}}};
  const std::string out = folder_.path("metrics.json");
  const ProgramResult done = eval(results, {"--out", out});
  ASSERT_EQ(done.exit_code, 0) << done.err;
  const Json metrics = Json::parse(std::ifstream(out));
  // Precision is 1 up to a recall of one half: 51 of the 101 steps.
  EXPECT_NEAR(double(metrics["AP"]), 51.0 / 101, 1e-6);
  EXPECT_NEAR(double(metrics["AR"]), 0.5, 1e-6);
  EXPECT_NE(done.out.find("2 annotations of 2 images, 2 results"), std::string::npos) << done.out;
}

TEST_F(ProgramEval, NamesWhatIsWrong) {
  const auto refused = [&](const Json& results, const std::string& part,
                           const std::vector<std::string>& more = {}) {
    const ProgramResult done = eval(results, more);
    EXPECT_EQ(done.exit_code, 3) << done.err;
    EXPECT_NE(done.err.find(part), std::string::npos) << done.err;
  };
  const Json fine = {{"image_id", 1}, {"score", 0.9}, {"keypoints", points(0, 1)}};
  refused(Json::object(), "results.json");
  refused({{{"image_id", 1}, {"score", 0.9}}}, "\"keypoints\"");
  refused({{{"score", 0.9}, {"keypoints", points(0, 1)}}}, "image_id");
  refused({{{"image_id", 1}, {"score", 0.9}, {"keypoints", {1, 2, 3}}}}, "1 key points, need 17");
  refused({{{"image_id", 7}, {"score", 0.9}, {"keypoints", points(0, 1)}}}, "7");
  refused({fine}, "no data set description \"cocoo\"", {"--metainfo", "cocoo"});
  EXPECT_EQ(run_program({"eval", folder_.path("none.json"), folder_.path("none.json")}).exit_code,
            3);
}

}  // namespace
}  // namespace limber::test
