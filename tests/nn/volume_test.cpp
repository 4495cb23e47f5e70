// Operations on volumes against their definitions, with gradients; V2VNet.
#include "nn/volume.h"

#include <gtest/gtest.h>

#include <cmath>

#include "autograd/autograd.h"
#include "pose/backbones/backbone.h"
#include "tests/support/tensors.h"

namespace limber {
namespace {

double at(const Tensor& t, std::initializer_list<int64_t> index) {
  int64_t flat = 0;
  int d = 0;
  for (int64_t i : index) flat = flat * t.size(d++) + i;
  return t.data<double>()[flat];
}

TEST(Volume, ConvolutionIsTheSumOverItsWindow) {
  const Tensor x = test::uniform({2, 3, 4, 5, 2}, -1, 1, 1, DType::f64);
  const Tensor w = test::uniform({3, 3, 3, 3, 2}, -1, 1, 2, DType::f64);
  const Tensor b = test::uniform({3}, -1, 1, 3, DType::f64);
  const Tensor y = conv3d(x, w, b, 1);
  ASSERT_EQ(y.shape(), Shape({2, 3, 4, 5, 3}));
  for (int64_t n : {0, 1})
    for (int64_t d : {0, 1, 2})
      for (int64_t h : {0, 3})
        for (int64_t v : {0, 2, 4})
          for (int64_t o : {0, 2}) {
            double sum = b.data<double>()[o];
            for (int64_t i = 0; i < 3; ++i)
              for (int64_t j = 0; j < 3; ++j)
                for (int64_t k = 0; k < 3; ++k)
                  for (int64_t c = 0; c < 2; ++c) {
                    const int64_t z = d + i - 1, r = h + j - 1, s = v + k - 1;
                    if (z < 0 || z > 2 || r < 0 || r > 3 || s < 0 || s > 4) continue;
                    sum += at(x, {n, z, r, s, c}) * at(w, {o, i, j, k, c});
                  }
            EXPECT_NEAR(at(y, {n, d, h, v, o}), sum, 1e-12);
          }
}

TEST(Volume, TransposedConvolutionFillsBlocks) {
  const Tensor x = test::uniform({1, 2, 2, 3, 2}, -1, 1, 1, DType::f64);
  const Tensor w = test::uniform({2, 2, 2, 2, 3}, -1, 1, 2, DType::f64);
  const Tensor b = test::uniform({3}, -1, 1, 3, DType::f64);
  const Tensor y = conv_transpose3d(x, w, b);
  ASSERT_EQ(y.shape(), Shape({1, 4, 4, 6, 3}));
  for (int64_t d = 0; d < 4; ++d)
    for (int64_t h = 0; h < 4; ++h)
      for (int64_t v = 0; v < 6; ++v)
        for (int64_t o = 0; o < 3; ++o) {
          double sum = b.data<double>()[o];
          for (int64_t c = 0; c < 2; ++c)
            sum += at(x, {0, d / 2, h / 2, v / 2, c}) * at(w, {c, d % 2, h % 2, v % 2, o});
          EXPECT_NEAR(at(y, {0, d, h, v, o}), sum, 1e-12);
        }
}

TEST(Volume, PoolingTakesTheLargestOfEachCube) {
  const Tensor x = test::uniform({1, 5, 4, 2, 2}, -1, 1, 1, DType::f64);
  const Tensor y = max_pool3d(x, 2);
  ASSERT_EQ(y.shape(), Shape({1, 2, 2, 1, 2}));
  for (int64_t d = 0; d < 2; ++d)
    for (int64_t h = 0; h < 2; ++h)
      for (int64_t c = 0; c < 2; ++c) {
        double largest = -2;
        for (int64_t i = 0; i < 8; ++i)
          largest = std::max(largest, at(x, {0, 2 * d + i / 4, 2 * h + i / 2 % 2, i % 2, c}));
        EXPECT_EQ(at(y, {0, d, h, 0, c}), largest);
      }
}

TEST(Volume, GradientsAgreeWithDifferences) {
  const Tensor x = test::uniform({1, 2, 2, 2, 2}, -1, 1, 1, DType::f64);
  const Tensor w = test::uniform({2, 3, 3, 3, 2}, -1, 1, 2, DType::f64);
  const Tensor u = test::uniform({2, 2, 2, 2, 1}, -1, 1, 3, DType::f64);
  const auto value = [&] {
    return sum(square(max_pool3d(conv_transpose3d(conv3d(x, w, {}, 1), u, {}), 2)));
  };
  for (const Tensor& t : {x, w, u}) require_grad(t);
  {
    Tape tape;
    tape.backward(value());
  }
  const NoRecord no_record;
  for (const Tensor& t : {x, w, u})
    for (int64_t i = 0; i < t.numel(); i += 3) {
      double& v = t.data<double>()[i];
      const double old = v, step = 1e-6;
      v = old + step;
      const double up = value().item();
      v = old - step;
      const double down = value().item();
      v = old;
      EXPECT_NEAR(grad_of(t).data<double>()[i], (up - down) / (2 * step), 1e-6);
    }
}

TEST(V2VNet, KeepsTheVolumesSize) {
  ParameterStore store(1);
  const auto net =
      make_backbone(Config::parse(R"({"type": "V2VNet", "input_channels": 3, "output_channels": 5,
                        "mid_channels": 8})",
                                  "test"),
                    Scope(store) / "backbone");
  EXPECT_EQ((*net)(test::uniform({1, 4, 8, 4, 3}, -1, 1, 1)).at(0).shape(), Shape({1, 4, 8, 4, 5}));
  EXPECT_THROW((*net)(Tensor::zeros({1, 6, 8, 4, 3})), Error);
  EXPECT_THROW((*net)(Tensor::zeros({1, 4, 8, 4, 2})), Error);
  const auto stored = [&](const char* name) { return store.at(name).stored_shape; };
  EXPECT_EQ(stored("backbone.front_layers.0.block.conv.weight"), Shape({4, 3, 7, 7, 7}));
  EXPECT_EQ(stored("backbone.front_layers.1.skip_con.conv.weight"), Shape({8, 4, 1, 1, 1}));
  EXPECT_EQ(stored("backbone.encoder_decoder.decoder_upsample2.block.0.weight"),
            Shape({32, 16, 2, 2, 2}));
  EXPECT_EQ(stored("backbone.encoder_decoder.mid_res.res_branch.1.bn.running_var"), Shape({32}));
}

}  // namespace
}  // namespace limber
