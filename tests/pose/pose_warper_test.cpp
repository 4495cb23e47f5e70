// PoseWarperNeck: what fresh weights do, that a shift between frames is learned, bad configs.
#include <gtest/gtest.h>

#include "autograd/autograd.h"
#include "nn/optim/optimizer.h"
#include "pose/necks/neck.h"
#include "tensor/op.h"
#include "tensor/ops.h"
#include "tests/support/learning.h"
#include "tests/support/tensors.h"

namespace limber {
namespace {

struct Made {
  ParameterStore store{2};
  std::unique_ptr<Neck> neck;
  explicit Made(const std::string& more)
      : neck(make_neck(Config::parse(R"({"type": "PoseWarperNeck", "in_channels": 4,
            "out_channels": 4, "inner_channels": 8, "deform_groups": 2, "dilations": [1, 2],
            "res_blocks_cfg": {"num_blocks": 2})" +
                                         more + "}",
                                     "neck"),
                       Scope(store) / "neck")) {}
};

TEST(PoseWarperNeck, FreshWeightsAddUpTheFrames) {
  const NoRecord no_record;
  Made made(R"(, "trans_conv_kernel": 0, "frame_weight": [0.5, 0.0, 0.25])");
  const Tensor frames = test::uniform({6, 5, 7, 4}, -1, 1, 3);  // two samples
  const Features out = (*made.neck)({frames});
  ASSERT_EQ(out.size(), 1u);
  ASSERT_EQ(out[0].shape(), (Shape{2, 5, 7, 4}));
  const Tensor expected = slice(frames, 0, 0, 2) * 0.5 + slice(frames, 0, 4, 6) * 0.25;
  EXPECT_LT(max(reshape(abs(out[0] - expected), {-1}), 0).item(), 1e-6);
}

TEST(PoseWarperNeck, ConcatenatesMapsOfOneSize) {
  const NoRecord no_record;
  Made made(R"(, "in_index": [0, 1], "input_transform": "resize_concat")");
  const Features maps{test::uniform({1, 6, 6, 1}, -1, 1, 1), test::uniform({1, 3, 3, 3}, -1, 1, 2)};
  EXPECT_EQ((*made.neck)(maps)[0].shape(), (Shape{1, 6, 6, 4}));
}

// The second frame is the first moved by two columns; only the warp can bring it back.
TEST(PoseWarperNeck, LearnsToWarp) {
  Made made(R"(, "trans_conv_kernel": 0, "frame_weight": [0.0, 1.0])");
  made.store.train(true);
  Optimizer optimizer(OptimizerOptions::defaults(OptimizerKind::adam),
                      {test::learning_group(made.store, 1e-2)});
  const Tensor still =
      resize(test::uniform({2, 4, 4, 4}, -1, 1, 5), 12, 12, Interpolation::bilinear);
  const Tensor frames = concat({still, roll(still, 2, 2)}, 0);
  double first = 0, last = 0;
  for (int i = 0; i < 20; ++i) {
    Tape tape;
    const Tensor loss = mean(square((*made.neck)({frames})[0] - still));
    (i == 0 ? first : last) = loss.item();
    tape.backward(loss);
    for (const char* name : {"neck.offset_layers.0.weight", "neck.offset_layers.1.weight"})
      ASSERT_TRUE(grad_of(made.store.at(name).value).defined()) << name;
    optimizer.step();
    optimizer.zero_grad();
  }
  EXPECT_LT(last, 0.5 * first);
}

std::string error_of(const std::string& more) {
  try {
    Made made(more);
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

TEST(PoseWarperNeck, HoldsTheTransitionAndRefusesWhatItHasNot) {
  Made made("");
  EXPECT_FALSE(made.store.at("neck.trans_layer.weight").trainable);
  EXPECT_TRUE(made.store.at("neck.offset_layers.0.weight").trainable);
  EXPECT_NE(error_of(R"(, "trans_conv_kernel": 5)").find("0 (none), 1 and 3"), std::string::npos);
  EXPECT_NE(error_of(R"(, "in_index": [0, 1])").find("resize_concat"), std::string::npos);
}

}  // namespace
}  // namespace limber
