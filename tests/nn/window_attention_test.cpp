// Windows, merged patches and attention with dropout: what parity of whole networks leaves open.
#include "nn/blocks/window_attention.h"

#include <gtest/gtest.h>

#include "nn/blocks/patch_embed.h"
#include "nn/stored_layout.h"
#include "tensor/op.h"
#include "tests/support/tensors.h"

namespace limber {
namespace {

float largest_difference(const Tensor& a, const Tensor& b) {
  return float(max(reshape(abs(a - b), {-1}), 0).item());
}

TEST(Windows, JoinUndoesCut) {
  const NoRecord no_record;
  const Tensor map = test::uniform({2, 9, 5, 3}, -1, 1, 1);
  for (const WindowPadding padding : {WindowPadding::corner, WindowPadding::centre})
    for (const int shift : {0, 1, 2}) {
      const Windows windows(9, 5, {4, 4}, shift, padding);
      const Tensor tokens = windows.cut(map);
      EXPECT_EQ(tokens.shape(), (Shape{2, 6, 16, 3}));
      EXPECT_EQ(largest_difference(windows.join(tokens), map), 0) << shift;
    }
}

TEST(Windows, PadsWhereItIsToldTo) {
  const NoRecord no_record;
  const Tensor map = Tensor::full({1, 2, 2, 1}, 1);
  const auto first_window = [&](WindowPadding padding) {
    const Tensor tokens = Windows(2, 2, {4, 4}, 0, padding).cut(map);
    return std::vector<float>(tokens.data<float>(), tokens.data<float>() + 16);
  };
  EXPECT_EQ(first_window(WindowPadding::corner),
            (std::vector<float>{1, 1, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}));
  EXPECT_EQ(first_window(WindowPadding::centre),
            (std::vector<float>{0, 0, 0, 0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 0, 0, 0}));
}

TEST(Windows, MaskPartsWhatOnlyTheRollBroughtTogether) {
  const Tensor mask = Windows(4, 8, {4, 4}, 2, WindowPadding::corner).mask(DType::f32);
  ASSERT_EQ(mask.shape(), (Shape{2, 1, 16, 16}));
  const auto at = [&](int64_t window, int64_t a, int64_t b) {
    return mask.data<float>()[(window * 16 + a) * 16 + b];
  };
  // All windows touch the bottom edge: their two upper and two lower rows are strangers.
  EXPECT_EQ(at(0, 0, 4), 0);
  EXPECT_EQ(at(0, 0, 8), -100);
  EXPECT_EQ(at(0, 0, 3), 0);  // in the first window all columns are neighbours
  EXPECT_EQ(at(1, 0, 1), 0);
  EXPECT_EQ(at(1, 0, 2), -100);
  EXPECT_FALSE(Windows(4, 8, {4, 4}, 0, WindowPadding::corner).mask(DType::f32).defined());
}

// A bias may be the same for all images and differ between windows; both ways must agree.
TEST(WindowAttention, AMaskOfZerosChangesNothing) {
  const NoRecord no_record;
  ParameterStore store{3};
  const WindowAttention attention(Scope(store), {.channels = 8, .heads = 2, .window = {2, 3}});
  const Tensor windows = test::uniform({2, 4, 6, 8}, -1, 1, 4);
  const Tensor plain = attention(windows);
  EXPECT_LT(largest_difference(attention(windows, Tensor::zeros({4, 1, 6, 6})), plain), 1e-6);
  EXPECT_EQ(store.at("relative_position_index").stored_shape, (Shape{6, 6}));
}

TEST(WindowAttention, DropsWeightsInTrainingOnly) {
  const NoRecord no_record;
  ParameterStore store{3};
  const WindowAttention attention(Scope(store),
                                  {.channels = 8, .heads = 2, .window = {2, 2}, .attn_drop = 0.5});
  ParameterStore same{3};
  const WindowAttention without(Scope(same), {.channels = 8, .heads = 2, .window = {2, 2}});
  const Tensor windows = test::uniform({1, 3, 4, 8}, -1, 1, 4);
  store.train(false);
  EXPECT_EQ(largest_difference(attention(windows), without(windows)), 0);
  store.train(true);
  EXPECT_GT(largest_difference(attention(windows), without(windows)), 1e-3);
}

// Checkpoints order a merged patch by channel, then pixel (rows, then columns).
TEST(PatchMerging, LoadsWeightsOfUnfoldedPatches) {
  const NoRecord no_record;
  ParameterStore store{5};
  const PatchMerging merge(Scope(store), 3, 12, 2, {.type = NormType::none});
  Tensor identity = Tensor::zeros({12, 12});
  for (int64_t i = 0; i < 12; ++i) identity.data<float>()[i * 13] = 1;
  const Parameter& weight = store.at("reduction.weight");
  load_stored(weight, identity);
  EXPECT_EQ(largest_difference(to_stored(weight), identity), 0);
  const Tensor map = test::uniform({1, 3, 5, 3}, -1, 1, 6);  // padded to 4 x 6
  const Tensor out = merge(map);
  ASSERT_EQ(out.shape(), (Shape{1, 2, 3, 12}));
  const auto pixel = [&](int64_t y, int64_t x, int64_t c) {
    return y < 3 && x < 5 ? map.data<float>()[(y * 5 + x) * 3 + c] : 0.f;
  };
  for (int64_t y = 0; y < 2; ++y)
    for (int64_t x = 0; x < 3; ++x)
      for (int64_t c = 0; c < 3; ++c)
        for (int64_t k = 0; k < 4; ++k)
          EXPECT_EQ(out.data<float>()[(y * 3 + x) * 12 + c * 4 + k],
                    pixel(2 * y + k / 2, 2 * x + k % 2, c));
}

TEST(PatchMerging, MayOverlap) {
  const NoRecord no_record;
  ParameterStore store{5};
  const PatchMerging merge(Scope(store), 3, 6, 1, {.type = NormType::layer});
  EXPECT_EQ(merge(test::uniform({2, 4, 5, 3}, -1, 1, 6)).shape(), (Shape{2, 4, 5, 6}));
}

TEST(PatchEmbed, PadsTheCornerAsFarAsKernelsReach) {
  const NoRecord no_record;
  ParameterStore store{5};
  const ConvOptions o{.in = 3, .out = 4, .kernel = {4, 4}, .stride = {4, 4}};
  const PatchEmbed adaptive(Scope(store) / "a", o, true, {.type = NormType::layer});
  const PatchEmbed plain(Scope(store) / "b", o, false, {.type = NormType::none});
  const Tensor image = test::uniform({1, 9, 8, 3}, -1, 1, 6);
  EXPECT_EQ(adaptive(image).shape(), (Shape{1, 3, 2, 4}));
  EXPECT_EQ(plain(image).shape(), (Shape{1, 2, 2, 4}));
  EXPECT_NE(store.find("a.norm.weight"), nullptr);
  EXPECT_EQ(store.find("b.norm.weight"), nullptr);
}

}  // namespace
}  // namespace limber
