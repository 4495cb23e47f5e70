// limber convert: the same tree and the same weights in another format.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "nn/checkpoint.h"
#include "pose/config/config.h"
#include "tests/support/tiny_run.h"

namespace limber::test {
namespace {

const TinyRun& tiny() {
  static const TinyRun run;
  return run;
}

void expect_equal(StateDict a, StateDict b) {
  std::ranges::sort(a, {}, &NamedTensor::name);
  std::ranges::sort(b, {}, &NamedTensor::name);
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].name, b[i].name);
    ASSERT_EQ(a[i].value.shape(), b[i].value.shape()) << a[i].name;
    ASSERT_EQ(a[i].value.dtype(), b[i].value.dtype()) << a[i].name;
    EXPECT_EQ(std::memcmp(a[i].value.raw(), b[i].value.raw(), a[i].value.bytes()), 0) << a[i].name;
  }
}

TEST(ProgramConvert, ConfigsResolve) {
  const ProgramResult done =
      run_program({"convert", tiny().config(), tiny().path("out.json"), "model.backbone.depth=34"});
  ASSERT_EQ(done.exit_code, 0) << done.err;
  const Config back = load_config(tiny().path("out.json"));
  EXPECT_EQ(back.at("model").at("backbone").get<int>("depth"), 34);
  EXPECT_FALSE(back.has("_base_"));
}

TEST(ProgramConvert, CheckpointsThereAndBack) {
  ASSERT_EQ(tiny().train("trained").exit_code, 0);
  const std::string file = tiny().path("trained/iter_18.safetensors");
  const auto convert = [&](const std::string& in, const std::string& out) {
    const ProgramResult done =
        run_program({"convert", in, tiny().path(out), "--model", tiny().config()});
    EXPECT_EQ(done.exit_code, 0) << done.err;
    return tiny().path(out);
  };
  const std::string pth = convert(file, "a.pth"), again = convert(pth, "b.safetensors");
  expect_equal(read_weights(pth), read_weights(again));
  expect_equal(read_weights(file), read_weights(again));
  const ProgramResult other = run_program({"convert", file, tiny().path("c.onx")});
  EXPECT_EQ(other.exit_code, 3);
  EXPECT_NE(other.err.find("c.onx"), std::string::npos) << other.err;
}

}  // namespace
}  // namespace limber::test
