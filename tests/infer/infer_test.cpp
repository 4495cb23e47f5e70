// .limber files: what is written is read back and finds what the model finds; what is damaged is
// refused; the C interface.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <fstream>
#include <random>
#include <thread>

#include "data/transforms/transform.h"
#include "graph/bytes.h"
#include "graph/calibrate.h"
#include "graph/compile.h"
#include "graph/op_attributes.h"
#include "graph/passes/passes.h"
#include "infer/limber.hpp"
#include "infer/session.h"
#include "nn/scope.h"
#include "pose/codecs/codec.h"
#include "pose/estimators/estimator.h"
#include "pose/estimators/preprocessor.h"
#include "tensor/ops/shape.h"
#include "tests/support/allocations.h"
#include "tests/support/networks.h"
#include "tests/support/temp_folder.h"
#include "tests/support/tensors.h"

namespace limber::test {
namespace {

using kernels::Precision;

constexpr int kKeypoints = 5;

// A small ResNet with heat maps of 8 x 8, in a file.
class LimberFile : public testing::Test {
 protected:
  static const NetworkCase& network() { return network_case("ResNet"); }

  LimberFile() : model_(make_estimator(Config::parse(network().model), Scope(store_))) {
    stir(store_);
    store_.train(false);
  }

  InferenceModel inference_model(std::vector<int64_t> batches) const {
    InferenceModel m;
    m.name = "small";
    m.input = {48, 64, {120, 115, 100}, {58, 57, 56}, true, 1.25, false};
    for (int k = 0; k < kKeypoints; ++k) m.keypoints.push_back("point" + std::to_string(k));
    for (int64_t n : batches) {
      const Tensor x = Tensor::full(network().input.with(0, n), 0.5);
      m.graphs.push_back(
          compile([&](std::span<const Tensor> in) { return model_->forward(in[0]); }, {&x, 1}));
    }
    return m;
  }

  std::string write(Precision weights = Precision::f32, std::vector<int64_t> batches = {1, 2}) {
    const std::string path = folder_.path(str("small", int(weights), ".limber"));
    InferenceModel model = inference_model(batches);
    if (weights == Precision::int8) {
      Calibration calibration(model.graphs[0]);
      const Tensor x = uniform(network().input.with(0, batches[0]), -2, 2, 8);
      calibration.add({&x, 1});
      for (Graph& graph : model.graphs) calibration.apply(graph);
    }
    for (Graph& graph : model.graphs) narrow_weights(graph, weights);
    write_model(path, model);
    return path;
  }

  ParameterStore store_{7};
  std::unique_ptr<Estimator> model_;
  TempFolder folder_;
};

Tensor picture(int64_t height, int64_t width) {
  return uniform({height, width, 3}, 0, 256, 5).to(DType::u8);
}

Picture view(const Tensor& rgb) {
  return {rgb.data<uint8_t>(), int(rgb.size(1)), int(rgb.size(0)), 3 * rgb.size(1)};
}

Tensor swapped(const Tensor& image) {
  const Tensor other = image.clone();
  for (int64_t i = 0; i < image.numel(); i += 3)
    std::swap(other.data<uint8_t>()[i], other.data<uint8_t>()[i + 2]);
  return other;
}

// The crop is the test pipeline's.
TEST(Crop, EqualsThePipeline) {
  const Tensor rgb = picture(90, 120);
  for (const bool udp : {false, true}) {
    for (const std::array<float, 4>& box :
         {std::array<float, 4>{10, 20, 50, 40}, {-15, -8, 70, 60}, {60.5f, 30.25f, 90, 20}}) {
      Sample sample;
      sample.img = swapped(rgb);  // pipelines carry B, G, R
      sample.bbox = Tensor::from(
          std::vector<float>{box[0], box[1], box[0] + box[2], box[1] + box[3]}, {1, 4});
      sample.keypoints = Tensor::zeros({1, 2, 2});
      sample.keypoints_visible = Tensor::full({1, 2}, 1);
      const Pipeline pipeline(
          Config::parse(std::string(R"([{"type": "GetBBoxCenterScale", "padding": 1.25},)") +
                        R"({"type": "TopdownAffine", "input_size": [48, 64], "use_udp": )" +
                        (udp ? "true" : "false") + R"(}, {"type": "PackPoseInputs"}])"));
      Random random(0);
      ASSERT_TRUE(pipeline.apply(sample, random));
      const Preprocessor normalise(
          Config::parse(R"({"mean": [120, 115, 100], "std": [58, 57, 56], "bgr_to_rgb": true})"));
      const Tensor expected = normalise.stack({sample.packed->inputs});
      const Tensor got = Tensor::empty(expected.shape());
      const Preprocessing p{48, 64, {120, 115, 100}, {58, 57, 56}, true, 1.25, udp};
      const CropPlace place = crop_input(view(rgb), box.data(), p, got.data<float>());
      for (int64_t i = 0; i < got.numel(); ++i)
        ASSERT_NEAR(got.data<float>()[i], expected.data<float>()[i], 1e-5) << i;
      for (size_t d = 0; d < 2; ++d) {
        EXPECT_FLOAT_EQ(float(place.center[d]), sample.packed->meta.input_center[d]);
        EXPECT_FLOAT_EQ(float(place.scale[d]), sample.packed->meta.input_scale[d]);
      }
    }
  }
}

// Every decoding finds what its codec finds.
void compare_decoding(const char* codec_json, DecoderOptions options,
                      const std::vector<Tensor>& outputs) {
  const auto codec = make_codec(Config::parse(codec_json));
  std::vector<Tensor> sample;
  for (const Tensor& t : outputs)
    sample.push_back(t.alias(t.shape().without(0), t.numel() / 2));  // the second of two
  const Decoded expected = codec->decode(sample);
  const Preprocessing input{.width = 48, .height = 64};
  const int64_t K = outputs[0].size(1);
  std::vector<float> points(static_cast<size_t>(2 * K)), scores(static_cast<size_t>(K));
  Blur blur(options.blur_kernel);
  decode_sample(outputs, 1, input, options, {{24, 32}, {48, 64}}, blur, points.data(),
                scores.data());
  for (size_t i = 0; i < points.size(); ++i)
    EXPECT_NEAR(points[i], expected.keypoints.data<float>()[i], 1e-4) << codec_json << " " << i;
  for (size_t k = 0; k < scores.size(); ++k)
    EXPECT_NEAR(scores[k], expected.scores.data<float>()[k], 1e-5) << codec_json << " " << k;
}

TEST(Decode, EqualsTheCodecs) {
  Tensor maps = uniform({2, 9, 16, 12}, 0, 1, 3);
  for (int64_t k = 0; k < 9; ++k)  // peaks inside, on borders, none
    maps.data<float>()[(9 + k) * 192 + (k * 23) % 192] = 2;
  const Tensor silent = maps.clone();
  std::fill_n(silent.data<float>() + 17 * 192, 192, 0.0f);
  const auto options = [](Decoding kind) { return DecoderOptions{.kind = kind}; };
  compare_decoding(R"({"type": "MSRAHeatmap", "input_size": [48, 64], "heatmap_size": [12, 16],
                       "sigma": 2})",
                   options(Decoding::heatmap), {silent});
  compare_decoding(R"({"type": "MSRAHeatmap", "input_size": [48, 64], "heatmap_size": [12, 16],
                       "sigma": 2, "unbiased": true})",
                   options(Decoding::dark), {maps});
  compare_decoding(R"({"type": "UDPHeatmap", "input_size": [48, 64], "heatmap_size": [12, 16]})",
                   options(Decoding::udp), {maps});
  compare_decoding(R"({"type": "MegviiHeatmap", "input_size": [48, 64], "heatmap_size": [12, 16],
                       "kernel_size": 5})",
                   {.kind = Decoding::megvii, .blur_kernel = 5},
                   {uniform({2, 9, 16, 12}, 0.1, 1, 3)});  // divides by a map's maximum
  compare_decoding(R"({"type": "SimCCLabel", "input_size": [48, 64], "simcc_split_ratio": 2.0})",
                   options(Decoding::simcc),
                   {uniform({2, 9, 96}, -1, 1, 4), uniform({2, 9, 128}, -1, 1, 5)});
  compare_decoding(R"({"type": "RegressionLabel", "input_size": [48, 64]})",
                   options(Decoding::coordinates), {uniform({2, 9, 2}, 0, 1, 6)});
}

TEST_F(LimberFile, RunsWhatTheModelComputes) {
  Session session(write(), 2);
  EXPECT_EQ(session.max_batch(), 2);
  const Tensor rgb = picture(90, 120);
  const std::vector<float> boxes{10, 20, 50, 40, 5, 5, 80, 60, 40, 0, 30, 90};
  std::vector<float> points(3 * 2 * kKeypoints), scores(3 * kKeypoints);
  session.run(view(rgb), boxes.data(), 3, points.data(), scores.data());
  const auto codec = make_codec(Config::parse(
      R"({"type": "MSRAHeatmap", "input_size": [48, 64], "heatmap_size": [8, 8], "sigma": 2})"));
  for (size_t n = 0; n < 3; ++n) {
    Tensor input = Tensor::empty({1, 64, 48, 3});
    const CropPlace place =
        crop_input(view(rgb), boxes.data() + 4 * n, session.model().input, input.data<float>());
    const Tensor maps = model_->forward(input)[0].second;
    const Tensor one[1] = {maps.alias(maps.shape().without(0))};
    const Decoded expected = codec->decode(one);
    for (size_t k = 0; k < kKeypoints; ++k) {
      EXPECT_NEAR(scores[n * kKeypoints + k], expected.scores.data<float>()[k], 1e-4);
      for (size_t d = 0; d < 2; ++d) {
        const double at =
            expected.keypoints.data<float>()[2 * k + d] / (d == 0 ? 48 : 64) * place.scale[d] +
            place.center[d] - 0.5 * place.scale[d];
        EXPECT_NEAR(points[2 * (n * kKeypoints + k) + d], at, 1e-2);
      }
    }
  }
}

// The second run of a session allocates nothing, whatever decodes its maps.
TEST_F(LimberFile, RunsAllocateNothing) {
  InferenceModel model = inference_model({1, 2});
  const Tensor rgb = picture(90, 120);
  const std::vector<float> boxes{10, 20, 50, 40, 5, 5, 80, 60, 40, 0, 30, 90};
  std::vector<float> points(3 * 2 * kKeypoints), scores(3 * kKeypoints);
  for (const Decoding kind : {Decoding::heatmap, Decoding::dark, Decoding::udp, Decoding::megvii}) {
    model.decoder.kind = kind;
    const std::string path = folder_.path("decoder.limber");
    write_model(path, model);
    Session session(path, 2);
    session.run(view(rgb), boxes.data(), 3, points.data(), scores.data());
    const int64_t before = allocations();
    session.run(view(rgb), boxes.data(), 3, points.data(), scores.data());
    EXPECT_EQ(allocations(), before) << int(kind);
  }
}

// Smaller files, results near those of f32; and their plans multiply in the numbers of the file,
// where the processor can.
TEST_F(LimberFile, HoldsNarrowWeights) {
  Session full(write(), 1);
  const Tensor rgb = picture(64, 48);
  const float box[4] = {0, 0, 48, 64};
  std::vector<float> points(2 * kKeypoints), exact(kKeypoints);
  full.run(view(rgb), box, 1, points.data(), exact.data());
  double top = 0;
  for (float s : exact) top = std::max(top, std::abs(double(s)));
  const auto check_file = [&](Precision weights, double size, const std::string& type) {
    Session narrow(write(weights), 1);
    EXPECT_LT(double(narrow.model().file_bytes), size * double(full.model().file_bytes)) << type;
    const bool can = kernels::matrix_unit(narrow.exec().isa, weights) != kernels::MatrixUnit::none;
    const std::string ops = narrow.plan(1)->describe(narrow.exec());
    EXPECT_EQ(ops.find(") " + type) != std::string::npos, can) << ops;
    std::vector<float> scores(kKeypoints);
    narrow.run(view(rgb), box, 1, points.data(), scores.data());
    for (size_t k = 0; k < kKeypoints; ++k) EXPECT_NEAR(scores[k], exact[k], 0.05 * top) << type;
  };
  check_file(Precision::bf16, 0.54, "bf16");
  check_file(Precision::int8, 0.32, "u8");
}

class DamagedFile : public LimberFile, public testing::WithParamInterface<Precision> {};

TEST_P(DamagedFile, IsRefused) {
  const std::string path = write(GetParam(), {1});
  std::ifstream in(path, std::ios::binary);
  const std::string good((std::istreambuf_iterator<char>(in)), {});
  const std::string bad_path = folder_.path("bad.limber");
  const auto put = [&](const std::string& bytes) {
    std::ofstream(bad_path, std::ios::binary) << bytes;
  };
  for (size_t size : {size_t(0), size_t(7), size_t(23), size_t(500), good.size() - 1}) {
    put(good.substr(0, size));
    EXPECT_THROW(read_model(bad_path), InputError) << size;
  }
  std::string later = good;
  later[8] = 9;
  put(later);
  EXPECT_THROW(read_model(bad_path), InputError);
  // Any byte of the records may change: refused, or still a model that runs inside its memory.
  uint32_t records = 0;
  std::memcpy(&records, good.data() + 12, 4);
  std::mt19937 random(3);
  int refused = 0;
  for (int round = 0; round < 300; ++round) {
    std::string bytes = good;
    bytes[24 + random() % records] ^= char(1 + random() % 255);
    put(bytes);
    try {
      read_model(bad_path);
    } catch (const InputError&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, 100);
}

INSTANTIATE_TEST_SUITE_P(Weights, DamagedFile,
                         testing::Values(Precision::f32, Precision::bf16, Precision::int8));

// Version 1: neither steps nor ranges in the records of values. The graph: one reshape.
TEST_F(LimberFile, ReadsTheFirstVersion) {
  const Shape x{1, 3, 2, 3}, y{1, 3, 3, 2};
  ByteWriter out;
  out.put(std::string("old"));
  out.put(int32_t(2)), out.put(int32_t(3));   // width, height
  for (int i = 0; i < 6; ++i) out.put(1.0f);  // mean, deviation
  out.put(uint8_t(1)), out.put(1.25), out.put(uint8_t(0));
  out.put(uint8_t(Decoding::heatmap)), out.put(int32_t(11)), out.put(2.0);
  out.put(uint32_t(3));
  for (const char* name : {"a", "b", "c"}) out.put(std::string(name));
  out.put(uint32_t(0));  // constants
  out.put(uint32_t(1));  // graphs
  out.put(uint32_t(2));  // values
  for (const Shape& shape : {x, y})
    out.put(uint8_t(DType::f32)), out.put(shape), out.put(int32_t(-1));
  out.put(uint32_t(1));  // nodes
  out.put(std::string("Reshape"));
  out.put(std::span<const uint8_t>(attribute_bytes(ReshapeOp(x, y))));
  out.put(std::vector<int>{0}), out.put(std::vector<int>{1});
  out.put(std::vector<int>{0}), out.put(std::vector<int>{1}), out.put(std::string());
  ByteWriter head;
  head.put(uint32_t(1)), head.put(uint32_t(out.bytes().size()));
  head.put(uint64_t(24 + out.bytes().size()));
  const std::string path = folder_.path("old.limber");
  std::ofstream file(path, std::ios::binary);
  file << "LIMBER\r\n";
  for (const ByteWriter* part : {&head, &out})
    file.write(reinterpret_cast<const char*>(part->bytes().data()),
               std::streamsize(part->bytes().size()));
  file.close();
  const InferenceModel model = read_model(path);
  EXPECT_EQ(model.keypoints.size(), 3u);
  EXPECT_EQ(model.graphs[0].nodes.size(), 1u);
}

TEST_F(LimberFile, OpensFromC) {
  const std::string path = write();
  char error[64];
  EXPECT_EQ(limber_open("/nowhere.limber", 1, error, sizeof error), nullptr);
  EXPECT_NE(std::string(error).find("/nowhere.limber"), std::string::npos);
  limber_session* session = limber_open(path.c_str(), 1, nullptr, 0);
  ASSERT_NE(session, nullptr);
  EXPECT_STREQ(limber_model_name(session), "small");
  EXPECT_EQ(limber_keypoint_count(session), kKeypoints);
  EXPECT_STREQ(limber_keypoint_name(session, 4), "point4");
  EXPECT_EQ(limber_keypoint_name(session, 5), nullptr);
  int width = 0, height = 0;
  limber_input_size(session, &width, &height);
  EXPECT_EQ(width, 48);
  EXPECT_EQ(height, 64);
  const Tensor rgb = picture(70, 60);
  std::vector<float> points(2 * kKeypoints), scores(kKeypoints);
  const auto run = [&](const float* box) {
    return limber_run(session, rgb.data<uint8_t>(), 60, 70, 180, box, 1, points.data(),
                      scores.data());
  };
  EXPECT_EQ(run(nullptr), 0) << limber_error(session);
  const float flat[4] = {0, 0, 0, 10};
  EXPECT_EQ(run(flat), -1);
  EXPECT_NE(std::string(limber_error(session)).find("no area"), std::string::npos);
  EXPECT_EQ(run(nullptr), 0);
  EXPECT_STREQ(limber_error(session), "");
  limber_close(session);
  limber_close(nullptr);
}

// Sessions of several threads do not disturb each other.
TEST_F(LimberFile, SessionsAreIndependent) {
  const std::string path = write();
  const Tensor rgb = picture(70, 60);
  const auto find = [&] {
    limber_infer::Session session(path, 1);
    std::vector<limber_infer::Keypoint> last;
    for (int i = 0; i < 5; ++i)
      last = session.run({rgb.data<uint8_t>(), 60, 70, 180}, {{5, 5, 40, 50}})[0];
    return last;
  };
  const auto expected = find();
  std::vector<std::vector<limber_infer::Keypoint>> found(4);
  std::vector<std::thread> threads;
  for (auto& result : found) threads.emplace_back([&] { result = find(); });
  for (std::thread& t : threads) t.join();
  for (const auto& result : found)
    for (size_t k = 0; k < kKeypoints; ++k) EXPECT_EQ(result[k].x, expected[k].x);
}

}  // namespace
}  // namespace limber::test
