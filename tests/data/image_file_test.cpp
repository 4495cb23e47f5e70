// Pictures decoded in part: the same pixels as decoded whole, for every form of JPEG, and pipelines
// that leave decoding to TopdownAffine.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "data/image.h"
#include "data/transforms/transform.h"
#include "data/warp.h"
#include "tensor/random.h"
#include "tests/data/jpeg_writer.h"
#include "tests/support/temp_folder.h"
#include "tests/support/tensors.h"

namespace limber {
namespace {

struct Form {
  const char* name;
  int h = 1, v = 1;  // how many pixels share a chroma sample
  int restart_rows = 0;
  bool grey = false, arithmetic = false, progressive = false, separate_scans = false;
};

constexpr Form kForms[] = {
    {"4:4:4"},
    {"4:2:2", 2, 1},
    {"4:4:0", 1, 2},
    {"4:2:0", 2, 2},
    {"4:1:1", 4, 1},
    {"4:1:0", 4, 2},
    {"4:2:0 with restart marks", 2, 2, 1},
    {"grey", 1, 1, 0, true},
    {"arithmetic 4:2:0", 2, 2, 0, false, true},
    {"progressive 4:2:0", 2, 2, 0, false, false, true},
    {"a scan for each channel", 2, 2, 0, false, false, false, true},
};

// Noise on a slope: every pixel differs from its neighbours, in chroma too.
Tensor noisy(int64_t H, int64_t W, uint64_t seed) {
  const Tensor noise = test::uniform({H, W, 3}, 0, 160, seed);
  Tensor t = Tensor::empty({H, W, 3}, DType::u8);
  for (int64_t i = 0; i < t.numel(); ++i)
    t.data<uint8_t>()[i] = uint8_t(noise.data<float>()[i] + float(i / (3 * W) % 90));
  return t;
}

std::vector<uint8_t> jpeg_of(const Tensor& bgr, const Form& form) {
  const jpeg_scan_info scans[3]{
      {1, {0}, 0, 63, 0, 0}, {1, {1}, 0, 63, 0, 0}, {1, {2}, 0, 63, 0, 0}};
  return test::written_jpeg(bgr, JCS_EXT_BGR, [&](jpeg_compress_struct& info) {
    if (form.grey) jpeg_set_colorspace(&info, JCS_GRAYSCALE);
    jpeg_set_quality(&info, 85, TRUE);
    info.comp_info[0].h_samp_factor = form.h;
    info.comp_info[0].v_samp_factor = form.v;
    info.restart_in_rows = form.restart_rows;
    info.arith_code = form.arithmetic ? TRUE : FALSE;
    if (form.progressive) jpeg_simple_progression(&info);
    if (form.separate_scans) {
      info.scan_info = scans;
      info.num_scans = 3;
    }
  });
}

std::string_view text(const std::vector<uint8_t>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

bool same(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() &&
         std::equal(a.data<uint8_t>(), a.data<uint8_t>() + a.numel(), b.data<uint8_t>());
}

Tensor cut(const Tensor& image, const Rectangle& r) {
  return crop_image(image, r.left, r.top, {r.width, r.height});
}

// The whole, rows, columns and single pixels at the edges, and random ones.
std::vector<Rectangle> rectangles(int H, int W) {
  std::vector<Rectangle> all{{0, 0, W, H},
                             {0, 0, 1, 1},
                             {W - 1, H - 1, 1, 1},
                             {W - 1, 0, 1, H},
                             {0, H - 1, W, 1},
                             {W / 2, H / 2, 1, 1},
                             {0, H / 2, 1, H - H / 2},
                             {0, H / 3, std::min(2, W), 1}};
  Random random(uint64_t(H * 1000 + W));
  for (int i = 0; i < 60; ++i) {
    const int left = int(random.integer(0, W)), top = int(random.integer(0, H));
    all.push_back(
        {left, top, int(random.integer(1, W - left + 1)), int(random.integer(1, H - top + 1))});
  }
  return all;
}

TEST(ImageFile, PartsHaveThePixelsOfTheWhole) {
  const TempFolder folder;
  for (const Form& form : kForms)
    for (const auto& [H, W] : {std::pair{5, 7}, {33, 1}, {64, 48}, {37, 53}, {150, 203}}) {
      SCOPED_TRACE(std::string(form.name) + ", " + std::to_string(W) + " x " + std::to_string(H));
      const auto bytes = jpeg_of(noisy(H, W, 3), form);
      const Tensor whole = decode_jpeg(bytes, "whole");
      const bool divisible = !form.progressive && !form.separate_scans;
      EXPECT_EQ(size_of_divisible_jpeg(bytes, "x").has_value(), divisible);
      const ImageFile file(folder.write("x.jpg", text(bytes)));
      EXPECT_EQ(file.size(), (std::array<int, 2>{W, H}));
      for (const Rectangle& r : rectangles(H, W)) {
        const ImageFile::Part part = file.part(r);
        const Rectangle there{r.left - part.left, r.top - part.top, r.width, r.height};
        ASSERT_TRUE(same(cut(part.pixels, there), cut(whole, r)))
            << r.width << " x " << r.height << " at " << r.left << ", " << r.top;
        const Shape decoded = divisible ? Shape{r.height, r.width, 3} : whole.shape();
        ASSERT_EQ(part.pixels.shape(), decoded);
      }
    }
}

TEST(ImageFile, WhatIsNotDivisibleIsDecodedWhole) {
  const TempFolder folder;
  const Tensor image = noisy(40, 30, 1);
  const auto good = jpeg_of(image, {"4:2:0", 2, 2});
  auto unended = good, turned = good;
  unended.resize(unended.size() - 2);
  const std::vector<uint8_t> app1{0xFF, 0xE1, 0, 34, 'E', 'x', 'i', 'f', 0, 0,    'M', 'M',
                                  0,    42,   0, 0,  0,   8,   0,   1,   1, 0x12, 0,   3,
                                  0,    0,    0, 1,  0,   6,   0,   0,   0, 0,    0,   0};
  turned.insert(turned.begin() + 2, app1.begin(), app1.end());
  for (const auto& bytes : {unended, turned}) {
    EXPECT_FALSE(size_of_divisible_jpeg(bytes, "x").has_value());
    const ImageFile file(folder.write("x.jpg", text(bytes)));
    EXPECT_TRUE(same(file.part({3, 4, 5, 6}).pixels, decode_jpeg(bytes, "x")));
  }
  EXPECT_EQ(ImageFile(folder.write("turned.jpg", text(turned))).size(),
            (std::array<int, 2>{40, 30}));
  const ImageFile png(folder.write("x.png", text(encode_png(image))));
  EXPECT_TRUE(same(png.part({3, 4, 5, 6}).pixels, image));
}

TEST(ImageFile, FilesCutShortAreErrorsNamingTheFile) {
  const TempFolder folder;
  const auto good = jpeg_of(noisy(120, 160, 1), {"4:4:4"});
  for (double part : {0.0, 0.1, 0.5, 0.9, 0.99}) {
    const auto bytes = text(good).substr(0, size_t(double(good.size()) * part));
    try {
      ImageFile(folder.write("holiday.jpg", bytes));
      ADD_FAILURE() << part;
    } catch (const InputError& error) {
      EXPECT_NE(std::string(error.what()).find("holiday.jpg"), std::string::npos);
    }
  }
  EXPECT_THROW(decode_jpeg_part(good, "x", {150, 0, 20, 5}), Error);
}

TEST(ImageFile, WarpsAsTheWholeMirroredPicture) {
  const TempFolder folder;
  const Tensor whole_bytes = noisy(90, 130, 7);
  const auto bytes = jpeg_of(whole_bytes, {"4:2:0", 2, 2});
  const ImageFile file(folder.write("x.jpg", text(bytes)));
  const Tensor whole = decode_jpeg(bytes, "x");
  Random random(5);
  for (int i = 0; i < 300; ++i) {
    const double scale = random.uniform(0.4, 4), rotation = random.uniform(-180, 180);
    // Every third centre is far outside, where the picture may not be seen at all.
    const double reach = i % 3 == 0 ? 200 : 20;
    const Matrix23 m =
        i == 0
            ? Matrix23{1, 0, 0, 0, 1, 0}
            : warp_matrix({random.uniform(-reach, 130 + reach), random.uniform(-reach, 90 + reach)},
                          {40 * scale, 50 * scale}, rotation, {40, 50});
    const bool x = i % 2 == 1, y = i / 2 % 2 == 1;
    Tensor mirrored = x ? flip_image(whole, FlipDirection::horizontal) : whole;
    if (y) mirrored = flip_image(mirrored, FlipDirection::vertical);
    ASSERT_TRUE(same(warp_affine(file, x, y, m, {40, 50}), warp_affine(mirrored, m, {40, 50})))
        << i;
  }
}

Sample sample_at(const std::string& path) {
  Sample s;
  s.meta.img_path = path;
  s.bbox = Tensor::from(std::vector<float>{30, 22, 66, 81}, {1, 4});
  s.keypoints = Tensor::from(std::vector<float>{33, 30, 44, 37.7f, 60, 80, 40, 70}, {1, 4, 2});
  s.keypoints_visible = Tensor::full({1, 4}, 1);
  s.meta.flip_indices = {0, 1, 3, 2};
  auto meta = std::make_shared<DatasetMeta>();
  meta->upper_body_ids = {0, 1};
  meta->lower_body_ids = {2, 3};
  s.dataset = meta;
  return s;
}

TEST(DeferredDecoding, GivesTheBytesOfDecodingAtOnce) {
  const TempFolder folder;
  const auto bytes = jpeg_of(noisy(120, 160, 9), {"4:2:0", 2, 2});
  const std::string path = folder.write("x.jpg", text(bytes));
  const std::string flip = R"({"type": "RandomFlip", "prob": [0.3, 0.3, 0.2],
                               "direction": ["horizontal", "vertical", "diagonal"]}, )";
  const Pipeline pipeline(Config::parse(
      R"([{"type": "LoadImage"}, {"type": "GetBBoxCenterScale"}, )" + flip + flip +
      R"({"type": "RandomHalfBody", "min_total_keypoints": 2, "min_upper_keypoints": 2,
          "min_lower_keypoints": 2},
         {"type": "RandomBBoxTransform", "shift_prob": 1},
         {"type": "TopdownAffine", "input_size": [48, 64]}, {"type": "PhotometricDistortion"},
         {"type": "PackPoseInputs", "pack_transformed": true}])"));
  int mirrored = 0;
  for (uint64_t i = 0; i < 60; ++i) {
    Random random(i), again(i);
    Sample deferred = sample_at(path), at_once = sample_at(path);
    at_once.img = read_image(path);  // LoadImage takes what is there
    ASSERT_TRUE(pipeline.apply(deferred, random) && pipeline.apply(at_once, again));
    const DataSample &got = *deferred.packed, &expected = *at_once.packed;
    ASSERT_TRUE(same(got.inputs, expected.inputs)) << i;
    EXPECT_EQ(got.recipe, nullptr);
    EXPECT_EQ(got.meta.img_shape, expected.meta.img_shape);
    EXPECT_EQ(got.meta.input_center, expected.meta.input_center);
    mirrored += got.meta.flip ? 1 : 0;
  }
  EXPECT_GT(mirrored, 20);
}

// The box is absurd, so that TopdownAffine throws before it decodes.
bool defers(const std::string& path, const std::string& between) {
  const Pipeline pipeline(Config::parse(R"([{"type": "LoadImage"}, )" + between +
                                        R"({"type": "TopdownAffine", "input_size": [48, 64]}])"));
  Sample sample = sample_at(path);
  sample.bbox_center = Tensor::full({1, 2}, 10);
  sample.bbox_scale = Tensor::full({1, 2}, 0);
  Random random(1);
  EXPECT_THROW(pipeline.apply(sample, random), InputError);
  EXPECT_NE(sample.img.defined(), sample.file != nullptr);
  return sample.file != nullptr;
}

TEST(DeferredDecoding, EndsWhereATransformNeedsPixels) {
  const TempFolder folder;
  const auto bytes = jpeg_of(noisy(120, 160, 9), {"4:2:0", 2, 2});
  const std::string path = folder.write("x.jpg", text(bytes));
  EXPECT_TRUE(defers(path, ""));
  EXPECT_TRUE(defers(path, R"({"type": "GetBBoxCenterScale"}, {"type": "RandomFlip"},)"));
  EXPECT_FALSE(defers(path, R"({"type": "PhotometricDistortion"},)"));
  EXPECT_FALSE(
      defers(path, R"({"type": "RandomChoice", "transforms": [{"type": "RandomFlip"}]},)"));
  EXPECT_FALSE(defers(path, R"({"type": "PackPoseInputs"},)"));
  Sample sample = sample_at(path);
  Random random(1);
  Pipeline(Config::parse(R"([{"type": "LoadImage"}, {"type": "RandomFlip", "prob": 1}])"))
      .apply(sample, random);
  EXPECT_TRUE(sample.img.defined());
}

}  // namespace
}  // namespace limber
