#include "data/image.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "data/color.h"
#include "data/warp.h"
#include "tests/data/jpeg_writer.h"

#include <png.h>

namespace limber {
namespace {

// Smooth, so that JPEG keeps it well.
Tensor gradient(int64_t H, int64_t W, int64_t C = 3) {
  Tensor t = Tensor::empty({H, W, C}, DType::u8);
  for (int64_t y = 0; y < H; ++y)
    for (int64_t x = 0; x < W; ++x)
      for (int64_t c = 0; c < C; ++c)
        t.data<uint8_t>()[(y * W + x) * C + c] = uint8_t(20 + y * 2 + x + 15 * c);
  return t;
}

int largest_difference(const Tensor& a, const Tensor& b) {
  EXPECT_EQ(a.shape(), b.shape());
  int worst = 0;
  for (int64_t i = 0; i < a.numel(); ++i)
    worst = std::max(worst, std::abs(a.data<uint8_t>()[i] - b.data<uint8_t>()[i]));
  return worst;
}

std::string message_of(const std::function<void()>& f) {
  try {
    f();
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

TEST(Image, JpegAndPngKeepChannelOrderAndPixels) {
  const Tensor image = gradient(37, 53);
  EXPECT_LE(largest_difference(decode_image(encode_jpeg(image, 98), "x"), image), 4);
  EXPECT_EQ(largest_difference(decode_image(encode_png(image), "x"), image), 0);
}

TEST(Image, GrayscaleBecomesThreeEqualChannels) {
  const Tensor gray = gradient(20, 30, 1);
  for (const auto& bytes : {encode_png(gray), encode_jpeg(gray, 100)}) {
    const Tensor out = decode_image(bytes, "gray");
    ASSERT_EQ(out.shape(), Shape({20, 30, 3}));
    for (int64_t i = 0; i < 600; ++i) {
      EXPECT_EQ(out.data<uint8_t>()[3 * i], out.data<uint8_t>()[3 * i + 2]);
      EXPECT_NEAR(out.data<uint8_t>()[3 * i], gray.data<uint8_t>()[i], 2);
    }
  }
}

TEST(Image, FilesCutShortAreErrorsNamingTheFile) {
  const Tensor image = gradient(120, 160);
  for (const auto& bytes : {encode_jpeg(image), encode_png(image)})
    for (double part : {0.1, 0.5, 0.9}) {
      const std::span<const uint8_t> cut(bytes.data(), size_t(double(bytes.size()) * part));
      EXPECT_NE(message_of([&] { decode_image(cut, "holiday.jpg"); }).find("holiday.jpg"),
                std::string::npos)
          << part;
    }
}

TEST(Image, JpegWithoutItsEndMarkIsWhole) {
  const Tensor image = gradient(64, 64);
  auto bytes = encode_jpeg(image, 98);
  bytes.pop_back();
  bytes.pop_back();
  EXPECT_LE(largest_difference(decode_image(bytes, "x"), image), 4);
}

TEST(Image, DamagedBytesNeverCrash) {
  const auto jpeg = encode_jpeg(gradient(40, 40)), png = encode_png(gradient(40, 40));
  for (const auto& good : {jpeg, png})
    for (size_t at = 0; at < good.size(); at += 7) {
      auto bad = good;
      bad[at] ^= 0xFF;
      try {
        decode_image(bad, "bad");
      } catch (const InputError&) {
      }
    }
}

TEST(Image, MissingEmptyAndForeignFilesAreNamed) {
  EXPECT_NE(message_of([] { read_image("/no/such.jpg"); }).find("/no/such.jpg"), std::string::npos);
  EXPECT_NE(message_of([] { decode_image({}, "empty.png"); }).find("empty.png"), std::string::npos);
  const std::vector<uint8_t> text{'h', 'e', 'l', 'l', 'o'};
  EXPECT_NE(message_of([&] { decode_image(text, "note.txt"); }).find("neither"), std::string::npos);
}

TEST(Image, AbsurdSizesAreRefusedBeforeMemoryIsTaken) {
  auto bytes = encode_jpeg(gradient(16, 16));
  for (size_t i = 0; i + 9 < bytes.size(); ++i)
    if (bytes[i] == 0xFF && bytes[i + 1] == 0xC0) {  // frame header: height, width
      bytes[i + 5] = bytes[i + 7] = 0xFF;
      bytes[i + 6] = bytes[i + 8] = 0xDC;
    }
  EXPECT_NE(message_of([&] { decode_image(bytes, "huge.jpg"); }).find("huge.jpg"),
            std::string::npos);
}

// Four channels of one value each, with Adobe's mark and its inverted inks.
std::vector<uint8_t> cmyk_jpeg(std::array<uint8_t, 4> inks, bool ycck) {
  const Tensor pixels = Tensor::empty({16, 16, 4}, DType::u8);
  for (int64_t i = 0; i < pixels.numel(); ++i) pixels.data<uint8_t>()[i] = inks[size_t(i % 4)];
  return test::written_jpeg(pixels, JCS_CMYK, [&](jpeg_compress_struct& info) {
    jpeg_set_colorspace(&info, ycck ? JCS_YCCK : JCS_CMYK);
    jpeg_set_quality(&info, 100, TRUE);
  });
}

TEST(Image, InksBecomeColours) {
  for (const bool ycck : {false, true}) {
    // Inverted: no cyan, full magenta and yellow, no black: red. Then half black alone: grey.
    const Tensor red = decode_image(cmyk_jpeg({255, 0, 0, 255}, ycck), "cmyk.jpg");
    const Tensor grey = decode_image(cmyk_jpeg({255, 255, 255, 128}, ycck), "cmyk.jpg");
    ASSERT_EQ(red.shape(), Shape({16, 16, 3}));
    const int expected[3] = {0, 0, 255};
    for (int c = 0; c < 3; ++c) {
      EXPECT_NEAR(red.data<uint8_t>()[c], expected[c], 3);
      EXPECT_NEAR(grey.data<uint8_t>()[c], 128, 3);
    }
  }
}

std::vector<uint8_t> png_of(png_uint_32 format, const void* pixels, const void* colours,
                            png_uint_32 count) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = 4, image.height = 2;
  image.format = format;
  image.colormap_entries = count;
  png_alloc_size_t size = 0;
  png_image_write_to_memory(&image, nullptr, &size, 0, pixels, 0, colours);
  std::vector<uint8_t> out(size);
  png_image_write_to_memory(&image, out.data(), &size, 0, pixels, 0, colours);
  return out;
}

TEST(Image, PngPalettesAlphaAndSixteenBitBecomeBgr) {
  const std::vector<uint8_t> palette{10, 20, 30, 200, 150, 100};  // two colours, R G B
  const std::vector<uint8_t> indices{0, 1, 0, 1, 1, 0, 1, 0};
  const Tensor mapped = decode_image(
      png_of(PNG_FORMAT_RGB_COLORMAP, indices.data(), palette.data(), 2), "palette.png");
  EXPECT_EQ(mapped.data<uint8_t>()[0], 30);
  EXPECT_EQ(mapped.data<uint8_t>()[3], 100);
  EXPECT_EQ(mapped.data<uint8_t>()[5], 200);
  std::vector<uint8_t> rgba;
  for (int i = 0; i < 8; ++i) rgba.insert(rgba.end(), {1, 2, 3, uint8_t(30 * i)});
  const Tensor opaque = decode_image(png_of(PNG_FORMAT_RGBA, rgba.data(), nullptr, 0), "rgba.png");
  ASSERT_EQ(opaque.shape(), Shape({2, 4, 3}));
  for (int i = 0; i < 8; ++i) EXPECT_EQ(opaque.data<uint8_t>()[3 * i], 3);
  const std::vector<uint16_t> deep(8, 0x8040);
  const Tensor cut = decode_image(png_of(PNG_FORMAT_LINEAR_Y, deep.data(), nullptr, 0), "deep.png");
  ASSERT_EQ(cut.shape(), Shape({2, 4, 3}));
  EXPECT_EQ(cut.data<uint8_t>()[0], cut.data<uint8_t>()[2]);
}

// APP1 with a one-entry directory, put behind the start mark of a JPEG.
std::vector<uint8_t> with_orientation(std::vector<uint8_t> jpeg, uint8_t orientation) {
  const std::vector<uint8_t> app1{
      0xFF, 0xE1, 0,    34,   'E', 'x', 'i', 'f', 0, 0, 'M', 'M',         0, 42, 0, 0, 0, 8,
      0,    1,    0x01, 0x12, 0,   3,   0,   0,   0, 1, 0,   orientation, 0, 0,  0, 0, 0, 0};
  jpeg.insert(jpeg.begin() + 2, app1.begin(), app1.end());
  return jpeg;
}

TEST(Image, OrientationTurnsTheImage) {
  const Tensor image = gradient(24, 40);
  const auto jpeg = encode_jpeg(image, 98);
  for (int orientation = 1; orientation <= 8; ++orientation) {
    const Tensor out = decode_image(with_orientation(jpeg, uint8_t(orientation)), "x");
    EXPECT_EQ(out.size(0), orientation < 5 ? 24 : 40) << orientation;
    // Where the upper left pixel of the file ends up: EXIF's own definition of the eight values.
    const bool right = orientation == 2 || orientation == 3 || orientation == 6 || orientation == 7;
    const bool bottom =
        orientation == 3 || orientation == 4 || orientation == 7 || orientation == 8;
    const int64_t y = bottom ? out.size(0) - 1 : 0, x = right ? out.size(1) - 1 : 0;
    EXPECT_NEAR(out.data<uint8_t>()[(y * out.size(1) + x) * 3], 20, 4) << orientation;
  }
}

TEST(Warp, TheIdentityCopiesAndAWholeShiftMoves) {
  const Tensor image = gradient(20, 30);
  EXPECT_EQ(largest_difference(warp_affine(image, {1, 0, 0, 0, 1, 0}, {30, 20}), image), 0);
  const Tensor moved = warp_affine(image, {1, 0, 3, 0, 1, 2}, {30, 20}, {7, 8, 9, 0});
  EXPECT_EQ(moved.data<uint8_t>()[0], 7);
  EXPECT_EQ(moved.data<uint8_t>()[(5 * 30 + 10) * 3], image.data<uint8_t>()[(3 * 30 + 7) * 3]);
}

TEST(Warp, PerspectiveWithAnAffineMatrixIsTheAffineWarp) {
  const Tensor image = gradient(50, 60);
  const Matrix23 m{0.8, 0.1, 3, -0.2, 0.9, 8};
  EXPECT_LE(largest_difference(
                warp_affine(image, m, {40, 40}),
                warp_perspective(image, {m[0], m[1], m[2], m[3], m[4], m[5], 0, 0, 1}, {40, 40})),
            3);  // their fixed point differs by up to a 32nd of a pixel
}

TEST(Warp, FlippingTwiceGivesTheImageBack) {
  const Tensor image = gradient(11, 13);
  for (auto d : {FlipDirection::horizontal, FlipDirection::vertical, FlipDirection::diagonal}) {
    EXPECT_GT(largest_difference(flip_image(image, d), image), 0);
    EXPECT_EQ(largest_difference(flip_image(flip_image(image, d), d), image), 0);
  }
}

TEST(Color, HsvOfKnownColours) {
  const std::vector<uint8_t> bgr{0, 0, 255, 0, 255, 0, 255, 0, 0, 128, 128, 128};
  const Tensor hsv = bgr_to_hsv(Tensor::from(bgr, {1, 4, 3}));
  const std::vector<uint8_t> expected{0, 255, 255, 60, 255, 255, 120, 255, 255, 0, 0, 128};
  for (size_t i = 0; i < expected.size(); ++i) EXPECT_EQ(hsv.data<uint8_t>()[i], expected[i]) << i;
  EXPECT_LE(largest_difference(hsv_to_bgr(hsv), Tensor::from(bgr, {1, 4, 3})), 1);
}

TEST(Color, BlursKeepAFlatImageAndFlattenAPeak) {
  Tensor image = Tensor::zeros({9, 9, 3}, DType::u8);
  std::fill_n(image.data<uint8_t>(), image.numel(), uint8_t(90));
  for (const Tensor& out : {box_blur(image, 5), median_blur(image, 5), gaussian_blur(image, 5, 1)})
    EXPECT_EQ(largest_difference(out, image), 0);
  image.data<uint8_t>()[(4 * 9 + 4) * 3] = 255;
  EXPECT_EQ(median_blur(image, 3).data<uint8_t>()[(4 * 9 + 4) * 3], 90);
  EXPECT_EQ(box_blur(image, 3).data<uint8_t>()[(4 * 9 + 4) * 3], 108);  // 90 + 165 / 9
}

TEST(Color, MedianIsTheMiddleOfEachWindow) {
  Tensor image = Tensor::empty({12, 15, 3}, DType::u8);
  for (int64_t i = 0; i < image.numel(); ++i) image.data<uint8_t>()[i] = uint8_t(i * 37 % 251);
  const Tensor out = median_blur(image, 5);
  for (int64_t y = 0; y < 12; ++y)
    for (int64_t x = 0; x < 15; ++x) {
      std::vector<uint8_t> window;
      for (int64_t v = y - 2; v <= y + 2; ++v)
        for (int64_t u = x - 2; u <= x + 2; ++u)
          window.push_back(
              image.data<uint8_t>()
                  [(std::clamp<int64_t>(v, 0, 11) * 15 + std::clamp<int64_t>(u, 0, 14)) * 3 + 1]);
      std::sort(window.begin(), window.end());
      EXPECT_EQ(out.data<uint8_t>()[(y * 15 + x) * 3 + 1], window[12]);
    }
}

}  // namespace
}  // namespace limber
